"""Small sites: those that went white or lost something in public reports, and those that only look suspicious.

Each says what the static checks refuse; tests/browser compares that with what Chromium reports over the preview. All are seen under /buy
and below it, with the Content-Security-Policy that environments get by default.
"""

# ruff: noqa: E501  (markup that has to be one line)

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

APP = "document.getElementById('root').textContent = 'ready';"
STYLE = "#root { color: teal; }"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
SHA = base64.b64encode(hashlib.sha384(APP.encode()).digest()).decode()
GOOD = '<script type="module" crossorigin src="/assets/app-1a2b.js"></script>'


@dataclass(frozen=True)
class Case:
    """One site."""

    name: str
    head: str
    body: str = ""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    """Codes of the refusals; none: a browser has nothing to complain about."""
    unseen: bool = False
    """Chromium does not report it (it concerns search engines, or something that only happens later)."""

    @property
    def all_files(self) -> Mapping[str, str | bytes]:
        page = f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>x</title><link rel="icon" href="/i.png">\n{self.head}</head>'
        page += f'\n<body><div id="root"></div>\n{self.body}</body></html>\n'
        common: Mapping[str, str | bytes] = {"i.png": PIXEL, "assets/app-1a2b.js": APP, "assets/app-1a2b.css": STYLE}
        return {**common, "index.html": page, **self.files}


def _case(name: str, head: str, body: str = "", *refused: str, unseen: bool = False, **files: str | bytes) -> Case:
    named = {key.replace("__", "/").replace("_dot_", "."): value for key, value in files.items()}
    return Case(name, head, body, named, frozenset(refused), unseen)


WHITE = (
    _case("relative script", '<script type="module" src="./assets/app-1a2b.js"></script>', "", "relative-base"),
    _case("relative script without dot", '<script defer src="assets/app-1a2b.js"></script>', "", "relative-base"),
    _case("relative base element", f'<base href="./">{GOOD}<script src="assets/app-1a2b.js"></script>', "", "relative-base"),
    _case("relative style sheet", f'{GOOD}<link rel="stylesheet" href="assets/app-1a2b.css">', "", "relative-base"),
    _case("other base path", '<script type="module" src="/shop/assets/app-1a2b.js"></script>', "", "missing-file"),
    _case("name in another case", '<script type="module" src="/assets/App-1a2b.js"></script>', "", "missing-file"),
    _case(
        "name in another form",
        f'{GOOD}<script src="/assets/caf\u00e9.js"></script>',
        "",
        "missing-file",
        **{"assets__cafe\u0301_dot_js": APP},  # type: ignore[arg-type]
    ),
    _case("sources instead of the build", '<script type="module" src="/src/main.tsx"></script>', "", "wrong-type", src__main_dot_tsx=APP),
    _case("inline runtime chunk", "", f"<script>{APP}</script>", "csp-inline"),
    _case("inline module", f'{GOOD}<script type="module">{APP}</script>', "", "csp-inline"),
    _case("import map", f'<script type="importmap">{{"imports": {{"a": "/a.js"}}}}</script>{GOOD}', "", "csp-inline"),
    _case("theme snippet", f"<script>document.documentElement.dataset.theme='dark'</script>{GOOD}", "", "csp-inline"),
    _case("inline style element", f"<style>body {{ margin: 0 }}</style>{GOOD}", "", "csp-inline"),
    _case("style attribute", GOOD, '<div style="display: none">x</div>', "csp-inline"),
    _case("style attribute in svg", GOOD, '<svg width="1" height="1"><g style="fill: red"></g></svg>', "csp-inline"),
    _case("style attribute in a template", GOOD, '<template><p style="color: red">x</p></template>', "csp-inline"),
    _case("empty attributes", GOOD, '<div style="" onclick=""></div>', "csp-inline"),
    _case("empty style", f"<style></style>{GOOD}", "", "csp-inline"),
    _case("event handler", GOOD, "<img src='/i.png' onload='this.dataset.a=1'>", "csp-inline"),
    _case("script from a CDN", f'{GOOD}<script src="https://cdn.example.net/react.js"></script>', "", "csp-source"),
    _case("web fonts", f'{GOOD}<link rel="stylesheet" href="https://fonts.example.net/css2?family=Inter">', "", "csp-source"),
    _case(
        "imported style",
        f'{GOOD}<link rel="stylesheet" href="/a.css">',
        "",
        "csp-source",
        a_dot_css="@import 'https://fonts.example.net/a.css';",
    ),
    _case("picture of another host", GOOD, '<img alt="" src="https://images.example.net/a.png">', "csp-source"),
    _case(
        "font of another host",
        f'{GOOD}<link rel="stylesheet" href="/a.css">',
        "",
        "csp-source",
        a_dot_css="@font-face { font-family: X; src: url(https://fonts.example.net/x.woff2) }\n#root { font-family: X }",
    ),
    _case(
        "background of another host",
        f'{GOOD}<link rel="stylesheet" href="/a.css">',
        "",
        "csp-source",
        a_dot_css="body { background: url('https://images.example.net/b.png') }",
    ),
    _case(
        "data font",
        f'{GOOD}<link rel="stylesheet" href="/a.css">',
        "",
        "csp-source",
        a_dot_css="@font-face { font-family: X; src: url(data:font/woff2;base64,d09GMg==) }\n#root { font-family: X }",
    ),
    _case("embedded frame", GOOD, '<iframe src="https://www.example.net/embed"></iframe>', "csp-source"),
    _case("script in a frame's own page", GOOD, '<iframe srcdoc="<script>alert(1)</script>"></iframe>', "csp-inline"),
    _case("file of a frame's own page", GOOD, '<iframe srcdoc="<img src=/gone.png>"></iframe>', "missing-file"),
    _case("relative file of a frame's own page", GOOD, '<iframe srcdoc="<img src=i.png>"></iframe>', "relative-base"),
    _case(
        "base of a frame's own page",
        GOOD,
        '<iframe srcdoc="<base href=/assets/><p>x</p><link rel=stylesheet href=app-1a2b.css>"></iframe>',
        "missing-file",
    ),
    _case("script in a shadow root", GOOD, '<div><template shadowrootmode="open"><script>alert(1)</script></template></div>', "csp-inline"),
    _case(
        "file of a shadow root in another",
        GOOD,
        '<div><template shadowrootmode="open"><p><template shadowrootmode="closed"><img src="/gone.png"></template></p></template></div>',
        "missing-file",
    ),
    _case("script of an svg", GOOD, '<svg><script href="/gone.js"></script></svg>', "missing-file"),
    _case("base of another host", f'<base href="https://cdn.example.net/">{GOOD}', "", "csp-base"),
    _case("policy in the page", f'<meta http-equiv="Content-Security-Policy" content="script-src \'none\'">{GOOD}', "", "csp-source"),
    _case(
        "wrong integrity",
        f'<script type="module" src="/assets/app-1a2b.js" integrity="sha384-{SHA[:-8]}AAAAAAA="></script>',
        "",
        "integrity",
    ),
    _case(
        "missing import of a style", f'{GOOD}<link rel="stylesheet" href="/a.css">', "", "missing-file", a_dot_css='@import "./gone.css";'
    ),
    _case("missing icon", f'{GOOD}<img src="/gone.png" alt="">', "", "missing-file"),
    _case(
        "canonical of another host",
        f'<link rel="canonical" href="https://staging.example.org/buy">{GOOD}',
        "",
        "foreign-canonical",
        unseen=True,
    ),
)

FINE = (
    _case("template that is no shadow root", GOOD, '<div><template><script>alert(1)</script><img src="/gone.png"></template></div>'),
    _case("shadow root", GOOD, '<div><template shadowrootmode="open"><slot></slot><img alt="" src="/i.png"></template></div>'),
    _case("frame with a page of its own", GOOD, '<iframe src="https://x.example.net/" srcdoc="<p>x</p><img src=/i.png>"></iframe>'),
    _case(
        "as Vite builds it",
        f'{GOOD}<link rel="stylesheet" crossorigin href="/assets/app-1a2b.css"><link rel="modulepreload" href="/assets/v.js">',
        "",
        assets__v_dot_js="export const v = 1;",
    ),
    _case("absolute base element", '<base href="/"><script type="module" src="assets/app-1a2b.js"></script>'),
    _case("own host written out", '<script type="module" src="//ORIGIN/assets/app-1a2b.js"></script>'),
    _case("query and fragment", '<script type="module" src="/assets/app-1a2b.js?v=3#x"></script>'),
    _case(
        "srcset with data",
        GOOD,
        f'<img alt="" src="/i.png" srcset="data:image/png;base64,{base64.b64encode(PIXEL).decode()} 1x, /i.png 2x">',
    ),
    _case("srcset with commas in a name", GOOD, '<img alt="" srcset="/a,b.png 1x, /i.png 2x" src="/i.png">', **{"a,b_dot_png": PIXEL}),  # type: ignore[arg-type]
    _case("what stands in a comment", f'<!-- <script src="/gone.js"></script> -->{GOOD}'),
    _case("what stands in a template", GOOD, '<template><img src="/gone.png"><style>a { b: c }</style><script>x()</script></template>'),
    _case("what stands in noscript", GOOD, '<noscript><img src="/gone.png"><style>a { b: c }</style></noscript>'),
    _case("what a script holds as text", f"{GOOD}<script type=\"text/template\"><img src='/gone.png'></script>"),
    _case(
        "data blocks",
        f'<script type="application/ld+json">{{"@type": "Thing"}}</script><script id="d" type="application/json">{{}}</script>{GOOD}',
    ),
    _case("for old browsers only", f'{GOOD}<script nomodule src="/gone-legacy.js"></script><script nomodule>!function(){{}}()</script>'),
    _case("right integrity", f'<script type="module" src="/assets/app-1a2b.js" integrity="sha384-{SHA}"></script>'),
    _case("unquoted attributes", "<script type=module src=/assets/app-1a2b.js></script>"),
    _case("upper case and no closing tags", '<SCRIPT TYPE=module SRC="/assets/app-1a2b.js"></SCRIPT>', "<P>a<P>b<UL><LI>c"),
    _case("entities in an address", f'{GOOD}<img alt="" src="/i.png?a=1&amp;b=2">'),
    _case("escaped and not ASCII", f'{GOOD}<img alt="" src="/%C3%A9t%C3%A9%20a.png">', "", **{"\u00e9t\u00e9 a_dot_png": PIXEL}),  # type: ignore[arg-type]
    _case("white space around an address", f'{GOOD}<img alt="" src="\n  /i.png ">'),
    _case("links to elsewhere", GOOD, '<a href="https://example.net/">x</a> <a href="/other/app">y</a>'),
    _case("preconnect", f'<link rel="preconnect" href="https://api.example.net"><link rel="dns-prefetch" href="//x.example.net">{GOOD}'),
    _case("svg with references inside", GOOD, '<svg width="9" height="9"><defs><g id="a"></g></defs><use href="#a"/></svg>'),
    _case(
        "style with data and fragments",
        f'{GOOD}<link rel="stylesheet" href="/a.css">',
        "",
        a_dot_css="body { background: url(data:image/png;base64,iVBORw0KGgo=) } .x { filter: url(#f) } /* url(/gone.png) */",
    ),
    _case(
        "namespace of a style",
        f'{GOOD}<link rel="stylesheet" href="/a.css">',
        "",
        a_dot_css="@namespace svg url(http://www.w3.org/2000/svg); @charset 'utf-8';",
    ),
    _case(
        "addresses in a script",
        '<script type="module" src="/b.js"></script>',
        "",
        b_dot_js="const docs = 'https://reactjs.org/docs/error-decoder.html'; const ns = 'http://www.w3.org/2000/svg';",
    ),
    _case("form of its own", GOOD, '<form action="/buy/search"><button>go</button></form>'),
    _case(
        "manifest with credentials",
        f'<link rel="manifest" href="/m.webmanifest" crossorigin="use-credentials">{GOOD}',
        "",
        m_dot_webmanifest='{"name": "x"}',
    ),
    _case("empty script", f"{GOOD}<script></script>"),
)
