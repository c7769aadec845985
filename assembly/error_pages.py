"""The pages that an error comes with where the app ships none: no script, nothing loaded, both colour schemes.

In: the site's name and where its app is. Out: the pages' bytes; the hash by which a Content-Security-Policy lets their style pass.
Never: knows which error it was (one page stands for several), or says anything about the platform.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

LIMIT = 4096
"""Bytes of a page: every missing image and script is answered with it, too."""

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:20vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.6rem;line-height:1.25}p.site{opacity:.75}"
    "a{display:inline-block;padding:.6rem 0;color:inherit;text-underline-offset:.2em}"
)

STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
"""What stands for exactly this style in a Content-Security-Policy (CSP Level 3, 2.3.1)."""


def not_found(domain: str, home: str) -> bytes:
    """For status 404."""
    return _page(domain, home, "Page not found", "There is nothing at this address. It may have been mistyped, or the page has moved.")


def unavailable(domain: str, home: str) -> bytes:
    """For every other error, a refusal as well as an outage."""
    return _page(domain, home, "This page cannot be shown right now", "Nothing is wrong at your end. Please try again in a moment.")


def _page(domain: str, home: str, title: str, text: str) -> bytes:
    # The base element would change where the link leads; every address here is absolute, since the page answers any path.
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)} - {escape(domain)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<p class="site">{escape(domain)}</p>\n<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n'
        f'<p><a href="{escape(home)}">Go to the start page</a></p>\n</main>\n</body>\n</html>\n'
    ).encode()
