"""URLs as browsers resolve them, where that is more than RFC 3986 says.

In: a base and what stands in a page. Out: an absolute URL. ValueError for one that no browser takes. Never: asks anybody.

Source: WHATWG URL Standard, "URL parsing": in http and https a backslash is a slash, %2e is a dot, and no dot segment leads above the root.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

_OTHER_SCHEME = re.compile(r"\s*(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_QUERY = re.compile(r"[?#]")
_DOT = re.compile(r"(?<![^/])(?:\.|%2e){1,2}(?![^/])", re.IGNORECASE)
_ABOVE = re.compile(r"\A(?:/\.\.(?=/|\Z))+")


def resolved(base: str, url: str) -> str:
    """An absolute URL out of one that stands in a page."""
    if _OTHER_SCHEME.match(url):
        return urljoin(base, url)
    start = found.start() if (found := _QUERY.search(url)) else len(url)
    path = _DOT.sub(lambda dots: dots[0].lower().replace("%2e", "."), url[:start].replace("\\", "/"))
    joined = urljoin(base, path + url[start:])
    parts = urlsplit(joined)
    below = _ABOVE.sub("", parts.path)
    return joined if below == parts.path else urlunsplit(parts._replace(path=below or "/"))
