"""What the builds of the usual frameworks look like: refused is what a browser would refuse, and nothing else."""

# ruff: noqa: E501  (what bundlers write is not ours to wrap)

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from environments.model import SecurityHeaders
from tests.unit.website.test_content import CONTRACT
from website.content import read
from website.errors import SourceError

POLICY = SecurityHeaders().csp
AT_ROOT = msgspec.structs.replace(CONTRACT, entry_path="/", response_headers={"content-security-policy": POLICY}, basic_auth=True)

VITE = {
    "index.html": """<!doctype html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <link rel="icon" type="image/svg+xml" href="/vite.svg" />
    <script type="module" crossorigin src="/assets/index-C2x1.js"></script>
    <link rel="modulepreload" crossorigin href="/assets/vendor-B1a2.js">
    <link rel="stylesheet" crossorigin href="/assets/index-D3b4.css">
  </head>
  <body><div id="root"></div></body>
</html>""",
    "vite.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/index-C2x1.js": 'const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["assets/lazy-A.js"])))=>i.map(i=>d[i]);import{v}from"./vendor-B1a2.js";'
    'import("./lazy-A.js");',
    "assets/vendor-B1a2.js": 'export const v="https://react.dev/errors/";',
    "assets/lazy-A.js": "export default 1;",
    "assets/index-D3b4.css": "@font-face{font-family:I;src:url(/assets/i-1.woff2)format('woff2')}body{background:url(data:image/svg+xml,%3csvg/%3e)}",
    "assets/i-1.woff2": "",
}
CREATE_REACT_APP = {
    "index.html": '<!doctype html><html lang="en"><head><meta charset="utf-8"/><link rel="icon" href="/favicon.ico"/><meta name="theme-color" '
    'content="#000000"/><link rel="apple-touch-icon" href="/logo192.png"/><link rel="manifest" href="/manifest.json"/><title>React App</title>'
    '<script defer="defer" src="/static/js/main.1a2b3c4d.js"></script><link href="/static/css/main.5e6f7a8b.css" rel="stylesheet"></head>'
    '<body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body></html>',
    **dict.fromkeys(("favicon.ico", "logo192.png", "robots.txt"), ""),
    "manifest.json": '{"name": "x"}',
    "asset-manifest.json": "{}",
    "static/js/main.1a2b3c4d.js": "/*! For license information please see main.1a2b3c4d.js.LICENSE.txt */\n!function(){}();",
    "static/js/main.1a2b3c4d.js.LICENSE.txt": "x",
    "static/css/main.5e6f7a8b.css": "body{margin:0}\n/*# sourceMappingURL=main.5e6f7a8b.css.map*/",
}
_NEXT_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charSet="utf-8"/><link rel="stylesheet" href="/_next/static/css/a1.css" data-precedence="next"/>'
    '<link rel="preload" as="script" fetchPriority="low" href="/_next/static/chunks/webpack-b2.js"/><script src="/_next/static/chunks/main-c3.js" '
    'async=""></script><link rel="icon" href="/favicon.ico" type="image/x-icon" sizes="16x16"/><script src="/_next/static/chunks/polyfills-d4.js" '
    'noModule=""></script></head><body><main>x</main><script src="/_next/static/chunks/webpack-b2.js" async=""></script>'
    "<script>(self.__next_f=self.__next_f||[]).push([0])</script></body></html>"
)
NEXT_EXPORT = {
    **dict.fromkeys(("index.html", "404.html", "about.html"), _NEXT_PAGE),
    "about.txt": "1:",
    "index.txt": "1:",
    "favicon.ico": "",
    "_next/static/css/a1.css": "a{}",
    **dict.fromkeys((f"_next/static/chunks/{name}.js" for name in ("webpack-b2", "main-c3", "polyfills-d4", "app/[slug]/page-e5")), "1"),
    "_next/static/xyz/_buildManifest.js": "1",
    "_next/static/media/a.woff2": "",
}
ASTRO = {
    "index.html": '<!DOCTYPE html><html lang="en" data-astro-cid-1><head><meta charset="utf-8"><link rel="icon" href="/favicon.svg">'
    '<link rel="sitemap" href="/sitemap-index.xml"><link rel="stylesheet" href="/_astro/index.A1.css"></head><body>'
    '<img src="/_astro/hero.B2.webp" srcset="/_astro/hero.B2.webp 640w, /_astro/hero.C3.webp 1280w" alt="" loading="lazy">'
    '<astro-island uid="Z1" component-url="/_astro/Counter.D4.js" client="load" ssr=""></astro-island>'
    '<script type="module" src="/_astro/page.E5.js"></script></body></html>',
    **dict.fromkeys(
        ("favicon.svg", "sitemap-index.xml", "rss.xml", "_astro/index.A1.css", "_astro/hero.B2.webp", "_astro/hero.C3.webp"), ""
    ),
    "_astro/Counter.D4.js": 'import{j}from"./jsx.F6.js";',
    "_astro/jsx.F6.js": "export const j=1;",
    "_astro/page.E5.js": "1",
    "pagefind/fragment/en_1.pf_fragment": "x",
}


def _codes(folder: Path, files: Mapping[str, str], **contract: object) -> list[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    try:
        read(folder, msgspec.structs.replace(AT_ROOT, **contract))
    except SourceError as error:
        return [problem.rpartition("--allow '")[2].rstrip("'") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("files", "codes"),
    [
        (VITE, []),
        (CREATE_REACT_APP, ["manifest-credentials:index.html"]),
        (NEXT_EXPORT, ["csp-inline:index.html", "csp-inline:404.html", "csp-inline:about.html"]),
        (ASTRO, []),
    ],
    ids=["vite", "create-react-app", "next-export", "astro"],
)
def test_a_build_is_refused_for_what_a_browser_refuses_only(tmp_path: Path, files: Mapping[str, str], codes: list[str]) -> None:
    assert _codes(tmp_path, files) == codes


def test_the_line_that_a_refusal_names_lets_the_build_pass(tmp_path: Path) -> None:
    _codes(tmp_path, NEXT_EXPORT)
    try:
        read(tmp_path, AT_ROOT)
    except SourceError as error:
        line = error.problems[0]
    source = line.partition("{script-src: [")[2].partition("]}")[0].strip('"')
    assert source.startswith("'sha256-")
    headers = {"content-security-policy": SecurityHeaders(content_security_policy={"script-src": (source,)}).csp}
    assert _codes(tmp_path, {}, response_headers=headers) == []


def test_types_and_imports_of_the_builds_are_known(tmp_path: Path) -> None:
    _codes(tmp_path, {**VITE, **ASTRO, **NEXT_EXPORT, **VITE})
    notes = read(tmp_path, msgspec.structs.replace(AT_ROOT, publishing_allow=("csp-inline",))).notes
    assert [note for note in notes if "not known" in note or "missing" in note] == []


def test_what_the_cache_rules_and_the_routes_do_to_a_build_is_told(tmp_path: Path) -> None:
    page = "<!doctype html><title>x</title>"
    astro = {"index.html": page, "about/index.html": page, "404.html": page, "_astro/a.CAbc1234.js": "", "_astro/b.DAbc1234.js": ""}
    notes = _notes(tmp_path / "astro", astro)
    assert any('should have "*_astro/*"' in text for text in notes)
    assert [text for text in notes if "at exactly these addresses only" in text] == [
        "at exactly these addresses only, since every route of the app shows index.html: about/index.html"
    ]
    angular = {"index.html": page, "assets/i18n/en.json": "{}", "assets/env.js": "", "assets/main-2KBTEJMF.js": ""}
    assert [text.rpartition(": ")[2] for text in _notes(tmp_path / "angular", angular) if "no hash in the name" in text] == [
        "assets/env.js, assets/i18n/en.json"
    ]


def _notes(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return read(folder, msgspec.structs.replace(AT_ROOT, not_found_page="/404.html"), judge=False).notes
