"""The files that the HTML review is made of: what an editor or a browser would refuse, and what the templates may not do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from review.html import PAGE
from tests.golden_files import ROOT

TEMPLATES = sorted(PAGE.glob("*.j2"))


def test_the_script_is_a_script() -> None:
    node = shutil.which("node")
    assert node, "Node.js is needed (README.md)"
    done = subprocess.run([node, "--check", str(PAGE / "review.js")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_style_sheet_is_one() -> None:
    css = re.sub(r"/\*.*?\*/", "", (PAGE / "review.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}", r"\1", css))
    assert css.count("{") == css.count("}") > 40
    for selector, body in rules:
        assert selector.strip() and body.strip(), f"an empty rule: {selector!r}"
        assert body.rstrip().endswith(";"), f"a declaration without an end: {selector.strip()}"
        for declaration in filter(None, (part.strip() for part in body.split(";"))):
            assert re.fullmatch(r"-{0,2}[a-z][a-z-]*: [^:{}]+", declaration), f"{selector.strip()}: {declaration!r}"
    defined = set(re.findall(r"(--[a-z-]+):", css))
    assert set(re.findall(r"var\((--[a-z-]+)\)", css)) == defined


def test_dark_and_light_have_the_same_colours() -> None:
    css = (PAGE / "review.css").read_text(encoding="utf-8")
    light, dark = (re.findall(r"(--[a-z-]+):", block) for block in re.findall(r":root \{([^}]*)\}", css))
    assert light == dark


def test_nothing_closes_the_element_that_an_asset_stands_in() -> None:
    for name in ("review.css", "review.js"):
        assert "</" not in (PAGE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_lets_a_value_through_unescaped(template: Path) -> None:
    code = " ".join(re.findall(r"\{[{%](.*?)[}%]\}", template.read_text(encoding="utf-8"), re.DOTALL))
    assert not re.search(r"\bsafe\b|\bautoescape\b|\bMarkup\b|\bxmlattr\b|\burlize\b", code)


def test_who_asks_for_no_html_waits_for_no_template_engine() -> None:
    script = (
        "import sys; from cli.main import main\n"
        "from review import as_json, markdown, terminal\n"
        "import verbs.plan, verbs.apply\n"
        "try: main(['plan', '--help'], ('verbs',))\n"
        "except SystemExit: pass\n"
        "sys.exit('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()
