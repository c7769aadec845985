"""What is said about a build that may be published: each note in its words, and none where there is nothing to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly.model import CacheRule, Routing
from tests.unit.website.test_content import CONTRACT, IMMUTABLE
from website.content import Content, read, with_pages_judged
from website.errors import SourceError

PAGE = '<!doctype html><html lang="en"><title>t</title><script src="/main-4f2c9a1b.js"></script>'
HASHED = ("main-4f2c9a1b.js", "chunk-7Xk2pQ9z.js", "styles-a91b3c7d.css")
NO_CACHE = CacheRule(pattern="*", cache_control="no-cache")
NOTHING_IMMUTABLE = "no file matches an immutable cache rule: visitors will load everything again and again"
AT_THE_TOP = "files at the top seem to have hashed names, and browsers ask for them anew"
NO_HASH = "served as immutable with no hash in the name"


def immutable(*patterns: str) -> tuple[CacheRule, ...]:
    return (*(CacheRule(pattern=pattern, cache_control=IMMUTABLE) for pattern in patterns), NO_CACHE)


def built(folder: Path, *names: str, allow: tuple[str, ...] = (), judge: bool = True, **contract: Any) -> Content:
    """A build with these files besides its page."""
    for name in (*HASHED, *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / "index.html").write_text(PAGE)
    return read(folder, msgspec.structs.replace(CONTRACT, **contract), allow=allow, judge=judge)


def test_a_build_that_the_rules_fit_has_nothing_to_be_said_about(tmp_path: Path) -> None:
    assert built(tmp_path, cache_rules=immutable("main-*", "chunk-*", "styles-*")).notes == ()


def test_a_build_of_which_nothing_is_immutable_is_told_which_rules_it_wants(tmp_path: Path) -> None:
    patterns = '"*-????????.css", "*-????????.js"'
    top = f"publishing.cache_rules should have {patterns}: {AT_THE_TOP}"
    made_here = (CacheRule(pattern="config.json", cache_control=IMMUTABLE), NO_CACHE)
    assert built(tmp_path, cache_rules=made_here, config_json={"a": "b"}).notes == (NOTHING_IMMUTABLE, top), (
        "config.json is not of the build"
    )
    inside = [f"static/{name}" for name in HASHED]
    wanted = 'publishing.cache_rules and publishing.hashed_paths should have "*static/*", whose files seem to have hashed names'
    assert built(tmp_path, *inside, cache_rules=(NO_CACHE,)).notes == (f"{NOTHING_IMMUTABLE}; {wanted}", top)


def test_files_at_the_top_that_have_their_rule_are_not_told(tmp_path: Path) -> None:
    assert built(tmp_path, "assets/app-4f2c9a1b.js", cache_rules=immutable("*-????????.js", "*-????????.css", "assets/*")).notes == ()


def test_what_is_immutable_by_mistake_is_named_and_nothing_else_is(tmp_path: Path) -> None:
    [told] = built(tmp_path, "logo.png", "plain.txt", cache_rules=immutable("*-????????.*", "*.png")).notes
    assert told.startswith(NO_HASH) and told.endswith("into publishing.cache_rules: logo.png")


def test_what_cloudfront_does_not_compress_is_named(tmp_path: Path) -> None:
    rules = immutable("*-????????.*")
    (tmp_path / "large.md").write_bytes(b"x" * 100_001)
    (tmp_path / "small.md").write_bytes(b"x" * 100_000)
    [told] = built(tmp_path, cache_rules=rules).notes
    assert told == (
        "not compressed for visitors, since CloudFront compresses up to 10,000,000 bytes, and no other types than it lists: large.md"
    )


def test_pages_beside_the_app_are_named_unless_they_are_those_of_errors(tmp_path: Path) -> None:
    rules = immutable("*-????????.*")
    pages: dict[str, Any] = {"not_found_page": "/404.html", "error_page": "/500.html"}
    found = built(tmp_path, "about.html", "404.html", "500.html", cache_rules=rules, **pages)
    assert [text for text in found.notes if text.startswith("at exactly")] == [
        "at exactly these addresses only, since every route of the app shows index.html: about.html"
    ]


def test_files_that_the_edge_takes_for_routes_are_refused_or_where_a_route_may_be_meant_told(tmp_path: Path) -> None:
    how: dict[str, Any] = {
        "cache_rules": immutable("*-????????.*"),
        "routing": Routing(file_extensions=("js", "css", "html")),
        "index_document": "/buy/index.html",
    }
    how["publishing_allow"] = ("missing-file",)
    [told] = [text for text in built(tmp_path, "v1.2/about", **how).notes if "visitors get" in text]
    assert told == (
        "v1.2/about: visitors get the page for /buy/v1.2/about, since a path without an extension is a route of the app (taken-for-route)"
    )
    with pytest.raises(SourceError, match=r'data\.parquet: visitors would get the page .* does not know "parquet"'):
        built(tmp_path, "data.parquet", **how)
    allowed = built(tmp_path, allow=("taken-for-route",), **how).notes
    assert sum("allowed: visitors would get the page" in text for text in allowed) == 1 and not any("--allow" in text for text in allowed)


@pytest.mark.parametrize("judge", [True, False])
def test_secrets_and_pages_may_be_judged_later_and_whatever_else_is_wrong_is_told_at_once_with_them(judge: bool, tmp_path: Path) -> None:
    """A picture stands before the script, and a folder before both: none of them ends the search."""
    built(tmp_path, "a.png", "b/c.woff2")
    (tmp_path / "leak.js").write_text("sk_live_" + "a" * 24)
    rules = immutable("*-????????.*")
    contract = msgspec.structs.replace(CONTRACT, cache_rules=rules)
    with pytest.raises(SourceError, match=r"leak\.js:1: .*a Stripe secret key"):
        found = read(tmp_path, contract, judge=judge)
        assert not judge and found.notes == ()
        with_pages_judged(found, contract, where=str(tmp_path))
    (tmp_path / ".env").write_text("")
    with pytest.raises(SourceError) as raised:
        read(tmp_path, contract, judge=judge)
    assert ["a dotfile" in problem or "Stripe" in problem for problem in raised.value.problems] == [True, True]
