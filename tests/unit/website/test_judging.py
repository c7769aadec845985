"""What a page is judged with: the site around it, in which order, how much of it, and a hint at the usual mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly.model import SiteContract
from pages.model import SiteContext
from tests.simulated import Small, small_assembly
from website.folder import FolderFile
from website.judging import allowances, judged, read_some, surroundings

CONTRACT = small_assembly(Small(id="a", template={}))[0].site
BROKEN = b'<!doctype html><html lang="en"><head><title>t</title><script src="/gone.js"></script></head><body></body></html>'


def files(folder: Path, **bodies: bytes) -> dict[str, FolderFile]:
    """Files by key; a double underscore in a name is a slash, a single one a dot."""
    found = {}
    for name, body in bodies.items():
        key = name.replace("__", "/").replace("_", ".")
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
        found[key] = FolderFile(root=folder, relative=key)
    return found


def around(there: dict[str, FolderFile], generated: dict[str, bytes] | None = None, **contract: Any) -> SiteContext:
    made: SiteContract = msgspec.structs.replace(CONTRACT, **contract)
    return surroundings(made, there, generated or {}, {key: f"max-age={n}" for n, key in enumerate([*there, *(generated or {})])})


def test_what_stands_under_a_path_is_a_file_or_what_the_environment_makes(tmp_path: Path) -> None:
    site = around(files(tmp_path, app_js=b"1", index_html=b"2"), {"config.json": b"{}", "index.html": b"made"})
    script, made, config = (site.find(path) for path in ("/app.js", "//index.html", "config.json"))
    assert script is not None and made is not None and config is not None and site.find("/gone.js") is None
    assert (script.name, script.content_type, script.cache_control, script.body()) == (
        "app.js",
        "text/javascript; charset=utf-8",
        "max-age=0",
        b"1",
    )
    assert made.body() == b"made" and (config.name, config.body()) == ("config.json", b"{}")


def test_below_a_prefix_files_have_the_names_of_the_folder(tmp_path: Path) -> None:
    site = around(files(tmp_path, buy__app_js=b"1"), index_document="/buy/index.html", entry_path="/buy")
    found = site.find("/buy/app.js")
    assert found is not None and found.name == "app.js" and site.entry_path == "/buy"


@pytest.mark.parametrize(
    ("header", "indexed"), [({}, True), ({"x-robots-tag": "noindex, nofollow"}, False), ({"x-robots-tag": "all"}, True)]
)
def test_what_the_contract_says_of_the_site(header: dict[str, str], indexed: bool) -> None:
    site = around({}, response_headers=header, basic_auth=True, config_json={"A": "b"})
    assert (site.indexed, site.basic_auth, site.configured, site.headers) == (indexed, True, {"A": "b"}, header)
    assert site.origin == f"https://{CONTRACT.domain}" and around({}, config_json=None).configured == {}


def test_an_app_that_was_built_for_another_base_path_is_told_so(tmp_path: Path) -> None:
    site = around(files(tmp_path, assets__app_js=b"1"))
    assert site.known("/buy/assets/app.js") == (
        ": the app was built for base /buy/ but is published under / (app.index_document, or vite --base)"
    )
    assert site.known("/nothing/like/it.js") == ""
    below = around(files(tmp_path, buy__assets__app_js=b"1"), index_document="/buy/index.html")
    assert "built for base / but is published under /buy/" in below.known("/assets/app.js")


def codes(there: dict[str, FolderFile], code: str = "missing-file", **contract: Any) -> list[tuple[str, str]]:
    made: SiteContract = msgspec.structs.replace(CONTRACT, **contract)
    found = list(judged(made, around(there, **contract), there))
    return [(each.code, each.file) for each in found if each.code == code]


def test_the_index_is_judged_first_and_then_every_other_page_and_nothing_else(tmp_path: Path) -> None:
    there = files(tmp_path, about_html=BROKEN, index_html=BROKEN, notes_txt=BROKEN)
    assert list(dict.fromkeys(codes(there))) == [("missing-file", "index.html"), ("missing-file", "about.html")]


def test_a_page_is_named_as_in_the_folder_below_a_prefix_too(tmp_path: Path) -> None:
    there = files(tmp_path, buy__index_html=BROKEN)
    assert set(codes(there, index_document="/buy/index.html", entry_path="/buy")) == {("missing-file", "index.html")}


def test_an_error_page_is_seen_under_any_address(tmp_path: Path) -> None:
    relative = BROKEN.replace(b"/gone.js", b"app.js")
    there = files(tmp_path, index_html=BROKEN.replace(b"/gone.js", b"/app.js"), app_js=b"1")
    assert codes(there) == []
    for name, seen in (("404_html", True), ("error_html", True), ("about_html", False)):
        more = {**there, **files(tmp_path, **{name: relative})}
        assert bool(codes(more, "relative-base")) is seen, "a relative path leads elsewhere from /no/such-page"


def test_pages_beyond_the_limit_are_not_judged_and_it_is_said(tmp_path: Path) -> None:
    there = files(tmp_path, index_html=BROKEN, b_html=BROKEN, c_html=BROKEN)
    found = list(judged(CONTRACT, around(there), there, limit=2 * len(BROKEN)))
    assert {each.file for each in found} == {"index.html", "b.html", "c.html"}
    assert [(each.file, each.note) for each in found if each.file == "c.html"] == [("c.html", True)]
    assert "1 further pages were not looked at" in found[-1].text
    for limit, left in ((3 * len(BROKEN) - 1, 1), (2 * len(BROKEN) - 1, 2), (len(BROKEN), 2)):
        *_, last = judged(CONTRACT, around(there), there, limit=limit)
        assert last.text.startswith(f"{left} further pages were not looked at") and last.file == ("c.html" if left == 1 else "b.html")
    assert not any("further pages" in each.text for each in judged(CONTRACT, around(there), there, limit=3 * len(BROKEN)))
    assert not any("further pages" in each.text for each in judged(CONTRACT, around(there), there))


def test_no_more_of_a_file_is_read_than_asked_and_one_that_has_gone_is_empty(tmp_path: Path) -> None:
    (there,) = files(tmp_path, a_js=b"12345").values()
    assert (read_some(there, 3), read_some(there, 9)) == (b"123", b"12345")
    there.path.unlink()
    assert read_some(there, 9) == b""


def test_of_a_script_thirty_two_megabytes_are_read(tmp_path: Path) -> None:
    (there,) = (found := files(tmp_path, big_js=b"")).values()
    with there.path.open("wb") as out:
        out.truncate((32 << 20) + 1)
    served = around(found).find("/big.js")
    assert served is not None and len(served.body()) == 33_554_432


def test_what_is_allowed_is_what_the_environment_and_the_command_line_say() -> None:
    def allowed(*more: str, **contract: Any) -> bool:
        found = allowances(msgspec.structs.replace(CONTRACT, **contract), more)
        return bool(found.allows("secret", "a.js"))

    assert allowed("secret:a.js") and allowed(publishing_allow=("secret:*.js",)) and not allowed("secret:b.js") and not allowed()
