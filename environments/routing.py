"""Which paths are files and which are routes of the app, and which lead elsewhere.

In: nothing. Out: `Routing` and `Redirect`, parts of an `Environment`, and what types cannot say about them.
Never: knows how the rule is carried out (lambda/routing/route.js, pages/routing.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from environments.value import Value
from pages.routing import refused

Extension = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9_]*[a-z][a-z0-9_]*\Z",
        max_length=16,
        description="File extension in lower case, without the dot, for example glb.",
    ),
]
RedirectPath = Annotated[
    str,
    Meta(
        pattern=r"^/([A-Za-z0-9._~%@!$&'()+,;=:-]+(/[A-Za-z0-9._~%@!$&'()+,;=:-]+)*/?)?\*?\Z",
        max_length=200,
        description="Path with a leading slash, as a browser sends it; one asterisk at its end stands for the rest.",
    ),
]

FILE_EXTENSIONS = (
    *("js", "mjs", "cjs", "css", "map", "json", "jsonld", "wasm", "webmanifest", "html", "htm", "xml", "xsl", "txt", "md", "csv", "pdf"),
    *("ico", "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "jxl", "bmp", "woff", "woff2", "ttf", "otf", "eot"),
    *("mp4", "webm", "mov", "m4a", "mp3", "ogg", "wav", "vtt", "rss", "atom", "glb", "gltf", "bin", "zip", "gz", "br", "zst"),
    *("pagefind", "pf_meta", "pf_index", "pf_fragment", "pf_filter"),
)
"""What Vite, Create React App, Next export and Astro (with the search index of Pagefind) put out, and what sites offer beside it."""

_SMALL = re.compile(r"%(?:[0-9A-F][a-f]|[a-f][0-9A-Fa-f])")
"""A percent-encoding with a small letter: the WHATWG URL Standard has capitals."""

REDIRECTS = 200
"""Of one table: every request that is not redirected walks through all of it. The limit of the edge function's size comes first."""


class Routing(Value, frozen=True, kw_only=True):
    """What tells a file from a route of the app."""

    file_extensions: tuple[Extension, ...] = FILE_EXTENSIONS
    """A path whose last segment ends so is a file; `/buy/first.last` is a route."""


class Redirect(Value, frozen=True, kw_only=True):
    """Another path for a path; the query string goes along."""

    path: RedirectPath
    """What is asked for; with a trailing asterisk everything that begins so."""
    to: RedirectPath
    """Where it is; a trailing asterisk is replaced by what the one of `path` stood for."""
    status: Literal[301, 302, 307, 308] = 302
    """301 and 308 are permanent, 307 and 308 keep the method."""


def redirect_problems(redirects: Sequence[Redirect], taken: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Index, key and problem of redirects that would do harm. `taken`: paths that the site itself answers."""
    for index, redirect in enumerate(redirects):
        reach = redirect.path.removesuffix("*")
        if redirect.path in taken or (redirect.path.endswith("*") and any(path.startswith(reach) for path in taken)):
            yield (
                index,
                "path",
                f'"{redirect.path}" takes the site\'s own pages away ({", ".join(p for p in taken if _takes(redirect, p))})',
            )
        if any(redirect.path == earlier.path for earlier in redirects[:index]):
            yield index, "path", f'"{redirect.path}" is the path of an earlier entry; keep one'
        elif any(_takes(earlier, redirect.path) for earlier in redirects[:index]):
            yield index, "path", f'"{redirect.path}" is never reached: an earlier entry takes it; put this one first'
        for part, path in (("path", redirect.path), ("to", redirect.to)):
            if refused(path.removesuffix("*")):
                yield index, part, f'"{path}" is refused by the edge with 400, whoever asks (dot segments, control characters, a lone "%")'
        if _SMALL.search(redirect.path):
            capitals = _SMALL.sub(lambda found: found[0].upper(), redirect.path)
            yield index, "path", f'"{redirect.path}" is compared letter by letter, and browsers write capitals: "{capitals}"'
        if redirect.to.endswith("*") and not redirect.path.endswith("*"):
            yield index, "to", f'"{redirect.to}" has an asterisk, and "{redirect.path}" has none that could stand for something'
        for other in redirects:
            if _leads_into(redirect, other):
                yield index, "to", f'"{redirect.to}" is redirected again, by "{other.path}"; name where it ends'
                break
    if len(redirects) > REDIRECTS:
        yield REDIRECTS, "path", f"{len(redirects)} redirects; at most {REDIRECTS}"


def _takes(redirect: Redirect, path: str) -> bool:
    return path.startswith(redirect.path[:-1]) if redirect.path.endswith("*") else path == redirect.path


def _leads_into(redirect: Redirect, other: Redirect) -> bool:
    """Whether what the redirect leads to may be redirected by the other one, or by itself."""
    if not redirect.to.endswith("*"):
        return _takes(other, redirect.to)
    reach = redirect.to[:-1]
    if other.path.endswith("*"):
        return reach.startswith(other.path[:-1]) or other.path[:-1].startswith(reach)
    return other.path.startswith(reach)
