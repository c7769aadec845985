"""The rule of the edge in Python, held to the same answers as the code that runs there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assembly.model import Redirect, Routing, SiteContract
from pages.routing import Answer, answered_with_the_page, route
from tests.unit.website.test_content import CONTRACT

EDGE = Path(__file__).resolve().parents[2] / "edge"
TABLE: dict[str, Any] = json.loads((EDGE / "vectors.json").read_text())
CONFIGS: Mapping[str, dict[str, Any]] = TABLE["configs"]


def contract_of(config: Mapping[str, Any]) -> SiteContract:
    return msgspec.structs.replace(
        CONTRACT,
        domain=config["domain"],
        entry_path=config["entryPath"],
        index_document=config["indexDocument"],
        health_path=config["healthPath"],
        routing=Routing(
            file_extensions=tuple(config["fileExtensions"].split()),
            hashed_paths=tuple(config["hashedPaths"]),
            redirects=tuple(Redirect(path=path, to=to, status=status) for path, to, status in config["redirects"]),
            redirect_hosts=tuple(config["redirectHosts"]),
        ),
    )


CONTRACTS = {name: contract_of(config) for name, config in CONFIGS.items()}


def as_javascript(answer: Answer) -> dict[str, Any]:
    match answer.action:
        case "redirect":
            return {"action": "redirect", "location": answer.location, "status": answer.status}
        case "rewrite" | "pass":
            return {"action": answer.action, "uri": answer.uri}
    return {"action": answer.action}


@pytest.mark.parametrize(
    "vector", [each for each in TABLE["vectors"] if isinstance(each["uri"], str)], ids=lambda v: f"{v['config']}: {v['about']}"
)
def test_the_table_of_answers(vector: dict[str, Any]) -> None:
    uri = vector["uri"] + (vector["then"][0] * vector["then"][1] if "then" in vector else "")
    answer = vector["answer"]
    found = as_javascript(route(uri, CONTRACTS[vector["config"]]))
    assert found == ({"action": "health"} if answer["action"] == "health" else answer)


PIECES = st.sampled_from(
    [
        *("/", "//", "/buy", "/buy/", "/shop/", "/away/", "/old", "/buy/assets/", "/assets/", "/shop/v1.2", "/index.html", "/healthz"),
        *(
            "..",
            ".",
            "%2f",
            "%2F",
            "%2e",
            "%5c",
            "%00",
            "%",
            "%4",
            "%zz",
            "%C3%A9",
            "+",
            "@",
            "user@example.com",
            "first.last",
            "v1.2-beta",
        ),
        *(
            ".js",
            ".JS",
            ".map",
            ".pf_meta",
            "_",
            "x.html",
            ".com",
            ".env",
            "evil.example",
            "\\",
            "?",
            "#",
            " ",
            "\t",
            "\n",
            "*",
            "~",
            "é",
            "\u2028",
            "\u212a",
        ),
    ]
)
PATHS = st.one_of(
    st.lists(st.one_of(PIECES, st.text(st.characters(max_codepoint=0xD7FF), max_size=3)), max_size=8).map("".join),
    st.lists(PIECES, max_size=6).map(lambda parts: "/" + "".join(parts)),
    st.integers(8_180, 8_200).map(lambda length: "/buy/" + "a" * (length - 5)),
)
ASKED = st.tuples(st.sampled_from(sorted(CONFIGS)), PATHS, st.sampled_from(["", "example.org", "www.example.org", "WWW.EXAMPLE.ORG:443"]))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ASKED, min_size=100, max_size=400))
def test_both_languages_agree_and_no_path_leads_to_another_host(asked: list[tuple[str, str, str]]) -> None:
    node = shutil.which("node")
    assert node, "Node.js is not installed"
    given = json.dumps({"configs": CONFIGS, "asked": asked})
    ran = subprocess.run([node, str(EDGE / "answers.mjs")], input=given, capture_output=True, text=True, check=True)
    for (name, uri, host), expected in zip(asked, json.loads(ran.stdout), strict=True):
        answer = route(uri, CONTRACTS[name], host)
        assert as_javascript(answer) == expected, (name, uri, host)
        if answer.action == "redirect":
            reached = urlsplit(urljoin("https://example.org/", answer.location))
            assert (reached.scheme, reached.netloc) == ("https", "example.org"), (name, uri, host)
            assert not answer.location.startswith(("//", "/\\")), (name, uri, host)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("buy/models/chair.obj", 'does not know "obj" as the extension of a file: add it to routing.file_extensions'),
        ("buy/LICENSE", "visitors get the page for /buy/LICENSE"),
        ("buy/assets/chair.obj", ""),
        ("chair.obj", ""),
        ("buy/chair.glb", ""),
        ("buy/.well-known/security", ""),
    ],
)
def test_a_file_that_nobody_would_get_is_told_before_it_is_published(key: str, words: str) -> None:
    assert words in answered_with_the_page(key, CONTRACTS["app"])
    assert bool(words) is bool(answered_with_the_page(key, CONTRACTS["app"]))
