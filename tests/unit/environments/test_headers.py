"""The Content-Security-Policy by directive, and further headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.loader import load
from environments.model import DEFAULT_CSP
from environments.problems import EnvironmentProblems
from stacks import headers
from tests.environments_fixture import ENVIRONMENTS, changed, environments

PROD = environments()["prod"]


def csp(**directives: list[str]) -> str:
    given = {name.replace("_", "-"): sources for name, sources in directives.items()}
    return changed(PROD, {"security_headers": {"content_security_policy": given}}).security_headers.csp


def test_nothing_given_is_the_default() -> None:
    assert csp() == "; ".join(" ".join((name, *sources)) for name, sources in DEFAULT_CSP.items())
    assert "'self'" in csp() and "unsafe" not in csp()


def test_sources_are_added_to_the_default_ones() -> None:
    assert "; connect-src 'self' https://api.example.org; " in csp(connect_src=["https://api.example.org"])
    assert csp(connect_src=["'self'"]) == csp()


def test_none_is_replaced_by_what_is_given_and_replaces_what_was() -> None:
    assert "; object-src https://example.org; " in csp(object_src=["https://example.org"])
    assert "; img-src 'none'; " in csp(img_src=["'none'"])


def test_a_directive_without_default_stands_at_the_end() -> None:
    assert csp(frame_src=["https://pay.example.org"], upgrade_insecure_requests=[]).endswith(
        "; frame-src https://pay.example.org; upgrade-insecure-requests"
    )


def test_a_text_is_the_whole_policy() -> None:
    assert (
        changed(PROD, {"security_headers": {"content_security_policy": "default-src 'none'"}}).security_headers.csp == "default-src 'none'"
    )


def written(place: Path, lines: str) -> str:
    for file in ENVIRONMENTS.glob("*.yaml"):
        (place / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    prod = place / "prod.yaml"
    before, key, after = prod.read_text(encoding="utf-8").partition("security_headers:\n")
    assert key, "prod has the key"
    prod.write_text(f"{before}{key}{lines}{after}" if lines.startswith(" ") else f"{before}{key}{after}{lines}", encoding="utf-8")
    with pytest.raises(EnvironmentProblems) as caught:
        load(place, ("prod",))
    (problem,) = caught.value.problems
    return f"{problem.key}: {problem.message}"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("headers: {X-Frame-Options: DENY}\n", 'headers.X-Frame-Options: "X-Frame-Options" is set by security_headers'),
        ("headers: {X-A: b, x-a: c}\n", 'headers.x-a: "x-a" is there twice'),
        ("headers: {Access-Control-Allow-Origin: '*'}\n", "headers.Access-Control-Allow-Origin: "),
        ("headers: {'X A': b}\n", "headers.X A: cannot be a key here; A header's name"),
        ("headers: {X-A: ''}\n", "headers.X-A: is "),
        ("  content_security_policy: {connect-src: ['a b']}\n", "security_headers.content_security_policy.connect-src"),
        (
            "  content_security_policy: {Connect: [a]}\n",
            "security_headers.content_security_policy.Connect: cannot be a key",
        ),
        (f"  content_security_policy: {{img-src: [{'x' * 1700}]}}\n", "makes a policy of"),
    ],
)
def test_what_cannot_be_is_said_with_its_key(tmp_path: Path, lines: str, said: str) -> None:
    assert said in written(tmp_path, lines)


def test_further_headers_are_sent_and_promised() -> None:
    env = changed(PROD, {"headers": {"Cross-Origin-Opener-Policy": "same-origin"}})
    assert headers.custom(env)["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers.expected(env)["cross-origin-opener-policy"] == "same-origin"
