"""From what a rule says to a finding: which are suppressed and by what reason, where they stand; what a cached verdict depends on."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lint.gate import Job, _finding, _lines, _unused, _verdict_key, environment_digest, suppressions
from lint.verdicts import SECRET_BYTES, Verdicts, place, today

SUPPRESSED = {"Topic": {"W3037": "because", "E9102": None, "E0001": "no", "E9703": "no"}}


def match(rule: str, *path: Any, severity: str = "error") -> Any:
    return SimpleNamespace(rule=SimpleNamespace(id=rule, severity=severity), message="m", path=list(path))


@pytest.mark.parametrize(
    ("rule", "path", "hidden"),
    [
        ("W3037", ("Resources", "Topic", "Properties"), True),
        ("W3037", ("Resources", "Topic"), True),
        ("E9102", ("Resources", "Topic"), True),
        ("W3038", ("Resources", "Topic"), False),
        ("W3037", ("Resources", "Other"), False),
        ("W3037", ("Resources",), False),
        ("W3037", (), False),
        ("W3037", ("Outputs", "Topic"), False),
        ("E0001", ("Resources", "Topic"), False),
        ("E9703", ("Resources", "Topic"), False),
    ],
)
def test_a_finding_is_suppressed_on_the_resource_that_says_so_and_on_no_other(rule: str, path: tuple[Any, ...], hidden: bool) -> None:
    found = _finding(match(rule, *path), SUPPRESSED)
    assert found.suppressed is hidden
    assert found.level == ("informational" if hidden else "error")
    assert found.reason == (SUPPRESSED["Topic"][rule] if hidden else None)


@pytest.mark.parametrize(
    ("path", "logical_id"),
    [
        (("Resources", "Topic", "Type"), "Topic"),
        (("Outputs", "Arn"), "Arn"),
        (("Conditions", "C"), "C"),
        (("Resources",), None),
        (("Metadata", "Topic"), None),
        ((), None),
    ],
)
def test_a_finding_is_about_what_stands_in_its_section(path: tuple[Any, ...], logical_id: str | None) -> None:
    found = _finding(match("E9701", *path, severity="warning"), {})
    assert (found.logical_id, found.path, found.level, found.source) == (logical_id, path, "warning", "ours")
    assert _finding(match("E3002", *path), {}).source == "cfn-lint"


def test_a_place_is_told_in_texts_and_numbers() -> None:
    class Marked(str):
        """As cfn-lint's nodes are."""

    found = _finding(match("E3002", Marked("Resources"), Marked("A"), 0), {})
    assert [type(part) for part in found.path] == [str, str, int]
    assert _finding(SimpleNamespace(rule=match("E1").rule, message="m"), {}).path == ()  # type: ignore[arg-type]


def test_a_suppression_needs_a_reason() -> None:
    def resource(rules: Any, reasons: Any) -> dict[str, Any]:
        return {"Metadata": {"cfn-lint": {"config": {"ignore_checks": rules}}, "Suppressed": reasons}}

    resources = {
        "Told": resource(["A", "B"], {"A": "because", "C": "of nothing"}),
        "Blank": resource(["A"], {"A": "  "}),
        "Number": resource(["A", 1], {"A": 1}),
        "NoList": resource("A", {"A": "because"}),
        "Bare": {},
        "NoMapping": 1,
    }
    assert suppressions({"Resources": resources}) == {"Told": {"A": "because", "B": None}, "Blank": {"A": None}, "Number": {"A": None}}
    assert suppressions({"Resources": []}) == suppressions({}) == {}


def test_a_suppression_that_hides_nothing_is_told() -> None:
    told = _unused({"A": {"W1": "r", "W2": "r"}, "B": {"W1": "r"}}, {("A", "W1"), (None, "W2")})
    assert [(each.logical_id, each.message.split()[0], each.level, each.rule) for each in told] == [
        ("A", "W2", "informational", "I9704"),
        ("B", "W1", "informational", "I9704"),
    ]


def test_the_line_of_a_place_is_its_own_or_that_of_the_nearest_above() -> None:
    data = json.dumps({"Resources": {"A": {"Type": "T", "Properties": {"L": [{"x": 1}, {"y": 2}]}}}}, indent=1).encode()
    line = _lines(data)
    texts = data.decode().splitlines()

    def at(*path: Any) -> str:
        found = line(path)
        assert found is not None
        return texts[found - 1].strip()

    assert at("Resources", "A").startswith('"A"')
    assert at("Resources", "A", "Properties", "L", 1, "y").startswith('"y"')
    assert at("Resources", "A", "Nothing").startswith('"A"') and at("Resources", "A", "Type", "x").startswith('"Type"')
    assert line(("Resources", "A", "Properties", "L", 2)) == line(("Resources", "A", "Properties", "L"))
    assert line(()) is None and line(("Outputs",)) is None
    assert _lines(b'{"a": 1, "a": 2}')(("a",)) in (None, 1)


def test_a_verdict_depends_on_everything_that_can_change_it() -> None:
    def key(template: bytes = b"{}", *regions: str, day: str = "2026-02-28") -> str:
        return _verdict_key(Job(stack_id="x", template=template, regions=regions), day)

    assert key(b"{}", "a", "b") == key(b"{}", "b", "a", "a")
    assert len({key(b"{}", "a"), key(b"{} ", "a"), key(b"{}", "a", "b"), key(b"{}")}) == 4
    function = b'{"Runtime": 1}'
    assert key(b"{}", day="2026-03-01") == key() and key(function, day="2026-03-01") != key(function) != key()
    sources = {"a": b"1", "b": b"2"}
    same = environment_digest("1", "3.11", sources)
    assert same == environment_digest("1", "3.11", dict(reversed(sources.items())))
    others = [("2", "3.11", sources), ("1", "3.12", sources), ("1", "3.11", {"a": b"1"}), ("1", "3.11", {"a": b"2", "b": b"1"})]
    assert same not in [environment_digest(*other) for other in others]


# --- kept verdicts ------------------------------------------------------------------------------------------------


def test_a_kept_verdict_is_the_one_of_its_key_and_of_this_folder(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "web-platform" / "lint"
    (tmp_path / "cache").mkdir()
    Verdicts(folder).store("k", b"body")
    assert Verdicts(folder).load("k") == b"body" and Verdicts(folder).load("other") is None
    kept = folder / "k.json"
    (folder / "other.json").write_bytes(kept.read_bytes())
    assert Verdicts(folder).load("other") is None, "another key's"
    kept.write_bytes(kept.read_bytes() + b" ")
    assert Verdicts(folder).load("k") is None, "changed"
    Verdicts(folder).store("k", b"body")
    (folder / "secret").write_bytes(b"short")
    assert Verdicts(folder).load("k") is None, "a secret of another length is made anew"
    assert len((folder / "secret").read_bytes()) == SECRET_BYTES
    Verdicts(folder).store("k", b"again")
    assert Verdicts(folder).load("k") == b"again"


def test_nothing_is_kept_where_no_folder_can_be(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "missing" / "a" / "web-platform" / "lint"):
        verdicts = Verdicts(folder)
        verdicts.store("k", b"body")
        verdicts.prune()
        assert verdicts.load("k") is None
    assert list(tmp_path.iterdir()) == []


def test_a_cache_is_made_in_a_home_that_is_there_and_no_home_is_made(tmp_path: Path) -> None:
    Verdicts(tmp_path / ".cache" / "web-platform" / "lint").store("k", b"body")
    assert Verdicts(tmp_path / ".cache" / "web-platform" / "lint").load("k") == b"body"


def test_what_is_no_verdict_is_neither_counted_nor_removed(tmp_path: Path) -> None:
    verdicts = Verdicts(tmp_path / ".cache" / "web-platform" / "lint")
    folder = tmp_path / ".cache" / "web-platform" / "lint"
    (tmp_path / "of somebody").write_text("x")
    (folder / "link").symlink_to(tmp_path / "of somebody")
    (folder / "folder").mkdir()
    for number, name in enumerate("abcd"):
        verdicts.store(name, b"body")
        os.utime(folder / f"{name}.json", (2e9 + number,) * 2)
    verdicts.prune(5)
    assert all(verdicts.load(name) for name in "abcd")
    verdicts.prune(4)
    assert [verdicts.load(name) for name in "abcd"] == [None, b"body", b"body", b"body"]
    assert (folder / "link").is_symlink() and (folder / "folder").is_dir()


def test_today_is_a_day() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", today())


def test_where_nothing_is_kept_nothing_is_removed_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder is not the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text("of somebody")
    Verdicts(None).prune(0)
    assert (tmp_path / "a.json").exists()


def test_the_oldest_verdicts_go_and_the_secret_stays(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "web-platform" / "lint"
    (tmp_path / "cache").mkdir()
    verdicts = Verdicts(folder)
    names = ["d", "c", "b", "a"]
    for moment, name in enumerate(names):
        verdicts.store(name, b"body")
        os.utime(folder / f"{name}.json", (moment, moment))
    verdicts.prune(5)
    assert {path.name for path in folder.iterdir()} == {"a.json", "b.json", "c.json", "d.json", "secret"}
    verdicts.prune(4)
    assert {path.name for path in folder.iterdir()} == {"a.json", "b.json", "c.json", "secret"}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"HOME": "/h"}, "/h/.cache/web-platform/lint"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/web-platform/lint"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "x"}, "/h/.cache/web-platform/lint"),
        ({"HOME": "/h", "CI": "false"}, "/h/.cache/web-platform/lint"),
        ({"HOME": "/h", "CI": "0"}, "/h/.cache/web-platform/lint"),
        ({"HOME": "/h", "CI": "true"}, None),
        ({"HOME": "h"}, None),
        ({}, None),
        ({"HOME": "/checkout"}, None),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/checkout/cache"}, None),
    ],
)
def test_verdicts_are_kept_in_the_cache_of_the_user_outside_of_the_checkout(environ: dict[str, str], wanted: str | None) -> None:
    found = place(environ, Path("/checkout"))
    assert (None if found is None else str(found)) == wanted
