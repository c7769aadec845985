"""Which files are published, and what is said about their names and types."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import msgspec
import pytest

from files.names import misspelt
from files.types import TYPES, UNKNOWN, content_type, known_type
from tests.unit.website.test_content import CONTRACT, problems
from website.content import read

FRAMEWORKS = {
    # What each puts out, or serves from its folder of static files.
    "vite": "apng bmp png jpg jpeg jfif pjpeg pjp gif svg ico webp avif cur jxl mp4 webm ogg mp3 wav flac aac opus mov m4a vtt woff woff2 "
    "eot ttf otf webmanifest pdf txt js css html json map wasm",
    "create-react-app": "js css html json txt map ico png svg avif bmp gif jpg webp woff2",
    "next-export": "html js css json txt xml ico png svg webp woff2 webmanifest map rsc",
    "astro": "html css js xml rss json svg png avif webp woff2 txt webmanifest pagefind pf_meta pf_index pf_fragment",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The smallest one."""
    (tmp_path / "index.html").write_text('<!doctype html><script src="/assets/a.js"></script>')
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("1")
    return tmp_path


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_extension_of_the_frameworks_has_a_type(framework: str) -> None:
    unknown = [suffix for suffix in FRAMEWORKS[framework].split() if not known_type(f"a.{suffix}")]
    assert unknown == []
    download = {suffix for suffix in FRAMEWORKS[framework].split() if content_type(f"a.{suffix}") == UNKNOWN}
    assert download <= {"pagefind", "pf_meta", "pf_index", "pf_fragment"}


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        (".well-known/apple-app-site-association", "application/json"),
        ("data/a.jsonld", "application/ld+json"),
        ("a.geojson", "application/geo+json"),
        ("CNAME", "text/plain; charset=utf-8"),
        ("feed.RSS", "application/rss+xml"),
        ("v.m3u8", "application/vnd.apple.mpegurl"),
        ("a.xyz123", UNKNOWN),
        ("a.exe", "application/octet-stream"),
    ],
)
def test_types_of_names(key: str, wanted: str) -> None:
    assert content_type(key) == wanted


def test_every_type_is_one_that_http_takes() -> None:
    import re

    assert [kind for kind in TYPES.values() if not re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind)] == []


def test_unknown_extensions_are_named(site: Path) -> None:
    (site / "model.xyz123").write_text("")
    (site / "data").write_text("")
    notes = read(site, CONTRACT).notes
    assert any(note.startswith("Content-Type not known (.xyz123)") and note.endswith("model.xyz123") for note in notes)
    assert any(note.startswith("Content-Type not known (no extension)") for note in notes)


def test_litter_is_left_out_with_a_note_and_stops_nothing(site: Path) -> None:
    for name in (".DS_Store", "assets/.DS_Store", "._index.html", "Thumbs.db", "desktop.ini", ".gitkeep", "Icon\r"):
        (site / name).write_text("x")
    (site / "__MACOSX").mkdir()
    (site / "__MACOSX" / "x").write_text("x")
    content = read(site, CONTRACT)
    assert [entry.key for entry in content.entries] == ["assets/a.js", "index.html"]
    assert any(
        note.startswith("left out as litter: .DS_Store, ._index.html, .gitkeep") and note.endswith("and 3 more") for note in content.notes
    )


def test_excluded_files_are_left_out_by_the_environment_and_by_the_call(site: Path) -> None:
    (site / "assets" / "a.js.map").write_text("{}")
    (site / "docs").mkdir()
    (site / "docs" / "link").symlink_to("/etc")
    contract = msgspec.structs.replace(CONTRACT, publishing_exclude=("*.map",))
    assert "a link to a directory" in problems(site, contract)
    content = read(site, contract, exclude=("docs/*",))
    assert [entry.key for entry in content.entries] == ["assets/a.js", "index.html"]
    assert "left out as excluded: assets/a.js.map, docs/" in content.notes
    assert not any("--exclude" in note for note in content.notes)
    assert "--exclude dcos/*: there is no such file" in read(site, contract, exclude=("docs/*", "dcos/*")).notes


def test_precompressed_twins_are_left_out_and_others_are_published(site: Path) -> None:
    (site / "assets" / "a.js.br").write_bytes(b"x")
    (site / "assets" / "a.js.gz").write_bytes(b"x")
    (site / "backup.tar.gz").write_bytes(b"x")
    content = read(site, CONTRACT)
    assert [entry.key for entry in content.entries] == ["assets/a.js", "backup.tar.gz", "index.html"]
    assert any("precompressed twins" in note and "assets/a.js.br, assets/a.js.gz" in note for note in content.notes)


@pytest.mark.parametrize("name", ["a+b.js", "cafe\u0301.js", "A.js", "x\x85y.js", "a\\b.js"])
def test_names_that_travel_badly_are_told(site: Path, name: str) -> None:
    (site / name).write_text("1")
    if name == "A.js":
        (site / "a.JS").write_text("1")
    code = {"a": "plus-sign", "c": "name-form", "A": "case-twins"}.get(name[0], "")
    if name in ("cafe\u0301.js", "A.js"):
        assert any(f"({code})" in note for note in read(site, CONTRACT).notes)
    elif name == "a+b.js":
        assert "--allow 'plus-sign:a+b.js'" in problems(site)
        assert len(read(site, CONTRACT, allow=("plus-sign:a+b.js",)).entries) == 3
    else:
        assert "control characters and backslashes" in problems(site)
        assert len(read(site, CONTRACT, exclude=(name.replace("\\", "[\\\\]"),)).entries) == 2


def test_a_key_of_more_than_1024_bytes_is_refused_for_its_prefix_too(site: Path) -> None:
    folder = site / ("d" * 200) / ("d" * 200) / ("d" * 200) / ("d" * 200)
    folder.mkdir(parents=True)
    (folder / ("f" * 210)).write_text("")
    assert not [note for note in read(site, CONTRACT).notes if "1,024" in note]
    (site / "index.html").write_text("<p>")
    assert "the path has 1025 bytes" in problems(site, msgspec.structs.replace(CONTRACT, index_document="/1234567890/index.html"))


def test_a_file_that_is_there_by_another_spelling_is_told_as_that(site: Path) -> None:
    (site / "assets" / unicodedata.normalize("NFD", "caf\u00e9.png")).write_text("")
    (site / "index.html").write_text('<img src="/assets/caf\u00e9.png"><img src="/assets/A.JS">')
    told = problems(site)
    assert "the file's name is the same, but in another Unicode form, decomposed (NFD)" in told
    assert "there is assets/a.js, which differs by case" in told
    assert misspelt("x", ("y",)) == ""


def test_each_refusal_says_how_to_say_i_know_and_that_is_enough(site: Path) -> None:
    (site / "index.html").write_text('<script src="assets/a.js"></script><script>1</script>')
    contract = msgspec.structs.replace(CONTRACT, response_headers={"content-security-policy": "script-src 'self'"})
    told = problems(site, contract).splitlines()
    codes = [line.rpartition("--allow ")[2].strip("'") for line in told]
    assert codes == ["relative-base:index.html", "csp-inline:index.html"]
    content = read(site, contract, allow=tuple(codes))
    assert sum("allowed: " in note for note in content.notes) == 2
    assert read(site, msgspec.structs.replace(contract, publishing_allow=("csp-inline", "relative-base"))).entries == content.entries


def test_a_code_that_is_none_is_refused_with_those_that_are(site: Path) -> None:
    assert "'*.map' is no CODE or CODE:PATTERN; the codes are dotfile, source-map" in problems(site, CONTRACT, "*.map")


def test_a_name_that_a_pattern_takes_for_more_is_allowed_by_itself(site: Path) -> None:
    (site / "[slug].js.map").write_text("{}")
    assert len(read(site, CONTRACT, allow=("source-map:[slug].js.map",)).entries) == 3
