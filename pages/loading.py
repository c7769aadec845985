"""Does what a page loads arrive, wherever the page is seen?

In: a judged page. Out: findings about files, types, hashes, schemes, credentials. Never: looks at the Content-Security-Policy.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from pages.document import Reference
from pages.findings import Finding
from pages.judged import Judged
from pages.model import Served

JAVASCRIPT = ("text/javascript", "application/javascript", "application/ecmascript", "text/ecmascript", "application/x-javascript")
_DIGESTS = ("sha512", "sha384", "sha256")
_UPGRADED = ("img-src", "media-src")
"""Loaded by https instead, where the page itself came by https (W3C, Mixed Content, 4.1)."""


def check(judged: Judged) -> Iterator[Finding]:
    """Every reference of the page, then of its style sheets, then what the page says about itself."""
    for reference, url in judged.loaded:
        yield from _reference(judged, reference, url)
    for each, url, file in judged.styled:
        if urlsplit(url).scheme == "http" and not _upgrades(judged):
            blocked = each.kind != "image"
            text = f"{each.url} is loaded over plain http, which {'browsers block' if blocked else 'browsers try by https instead'}"
            yield judged.finding("mixed-content", each.line, text, "write https://", file=file, note=not blocked)
        path = judged.around.local(url)
        if path is not None and not path.endswith("/") and judged.around.find(path) is None:
            # A background or a font may stand in a rule that nothing uses; an import is always loaded.
            text = f"loads {path}, which is not there{judged.around.known(path)}"
            yield judged.finding("missing-file", each.line, text, file=file, note=each.kind != "import")
        if path is None and each.kind == "font" and urlsplit(url).scheme in ("http", "https"):
            text = f"the font {each.url} is of another host: it loads only if that answers with Access-Control-Allow-Origin"
            yield judged.finding("font-cors", each.line, text, "publish the font with the app", file=file, note=True)
    yield from _addresses(judged)


def _reference(judged: Judged, reference: Reference, url: str) -> Iterator[Finding]:
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        return
    path = judged.around.local(url)
    if path is None:
        yield from _foreign(judged, reference, url)
    elif not path.endswith("/"):
        yield from _own(judged, reference, path)
    if reference.rel == "preload" and reference.as_ == "font" and reference.crossorigin is None:
        text = f"the preload of {reference.url} has no crossorigin, so that the font is loaded twice"
        yield judged.finding("font-cors", reference.line, text, "add the attribute crossorigin", note=True)


def _own(judged: Judged, reference: Reference, path: str) -> Iterator[Finding]:
    served = judged.around.find(path)
    elsewhere = [(seen, found) for seen in judged.page.paths[1:] if (found := _path(judged, reference, seen)) not in (None, path)]
    places = [(judged.page.paths[0], path, served is not None)]
    places += [(seen, found, judged.around.find(found) is not None) for seen, found in elsewhere if found is not None]
    right = [each for each in places if each[2]]
    wrong = [each for each in places if not each[2]]
    if not right:
        text = f"loads {path}, which is not there{judged.around.known(path)}"
        yield judged.finding("missing-file", reference.line, text)
        return
    if wrong:
        runs = reference.element == "script" or reference.rel in ("stylesheet", "modulepreload")
        text = (
            f"loads {reference.url}, which at {right[0][0]} is {right[0][1]}, but at {wrong[0][0]} is {wrong[0][1]}, and that is not "
            f"there: {'the page stays white' if runs else 'it is missing there'}"
        )
        remedy = 'build with an absolute base (vite: base: "/"; Create React App: no "homepage"), or put <base href="/"> before it'
        yield judged.finding("relative-base", reference.line, text, remedy)
    if served is not None:
        yield from _type(judged, reference, served)
        yield from _integrity(judged, reference, served)
    if reference.rel == "manifest" and judged.around.basic_auth and reference.crossorigin != "use-credentials":
        text = f"browsers ask for {path} without the password, so Basic Auth refuses it with 401"
        yield judged.finding("manifest-credentials", reference.line, text, 'add crossorigin="use-credentials" to the <link>')


def _path(judged: Judged, reference: Reference, seen: str) -> str | None:
    try:
        return judged.around.local(judged.url(reference.url, seen))
    except ValueError:
        return None


def _type(judged: Judged, reference: Reference, served: Served) -> Iterator[Finding]:
    kind = served.content_type.split(";")[0].strip()
    if reference.element == "script" or reference.rel == "modulepreload":
        wanted, fits = "a script", kind in JAVASCRIPT
    elif reference.rel == "stylesheet":
        wanted, fits = "a style sheet", kind == "text/css"
    else:
        return
    if not fits:
        text = f"{served.name} is loaded as {wanted}, but served as {kind}, which browsers refuse"
        yield judged.finding("wrong-type", reference.line, text, "publish what the bundler wrote, not its sources")


def _integrity(judged: Judged, reference: Reference, served: Served) -> Iterator[Finding]:
    if not reference.integrity or (reference.element != "script" and reference.rel not in ("stylesheet", "preload", "modulepreload")):
        return
    given = [part.split("?")[0].partition("-") for part in reference.integrity.split()]
    strongest = next((name for name in _DIGESTS if any(algorithm == name for algorithm, _, _ in given)), "")
    if not strongest:
        return
    found = base64.b64encode(hashlib.new(strongest, served.body()).digest()).decode()
    if all(value != found for algorithm, _, value in given if algorithm == strongest):
        text = f"integrity= of {served.name} does not match its bytes, so browsers refuse it"
        yield judged.finding("integrity", reference.line, text, f'integrity="{strongest}-{found}"')


def _foreign(judged: Judged, reference: Reference, url: str) -> Iterator[Finding]:
    if urlsplit(url).scheme == "http" and judged.around.origin.startswith("https:") and not _upgrades(judged):
        upgraded = reference.directive in _UPGRADED
        text = f"{reference.url} is loaded over plain http, which browsers {'try by https instead' if upgraded else 'block'}"
        yield judged.finding("mixed-content", reference.line, text, "write https://", note=upgraded)
    elif reference.integrity and reference.crossorigin is None and (reference.element == "script" or reference.rel == "stylesheet"):
        text = f"integrity= of {reference.url} cannot be checked without crossorigin, so browsers refuse it"
        yield judged.finding("integrity", reference.line, text, 'add crossorigin="anonymous"')
    embedder = judged.around.headers.get("cross-origin-embedder-policy", "").split(";")[0].strip()
    if embedder == "require-corp" and reference.crossorigin is None and not reference.module and reference.rel != "manifest":
        text = f"{reference.url} is refused unless its host answers with Cross-Origin-Resource-Policy: cross-origin"
        yield judged.finding("embedder-policy", reference.line, text, "add crossorigin, if the host allows that", note=True)


def _upgrades(judged: Judged) -> bool:
    return any("upgrade-insecure-requests" in policy.directives for policy in judged.policies)


def _addresses(judged: Judged) -> Iterator[Finding]:
    here = urlsplit(judged.around.origin).hostname
    for address in judged.document.addresses:
        try:
            host = urlsplit(judged.url(address.url)).hostname
        except ValueError:
            continue
        if host and host != here:
            effect = "search engines are sent away" if judged.around.indexed else "no search engine is let in here, so it does no harm"
            text = f"{address.what} names {host}, and this is {here}: {effect}"
            # A build that goes from environment to environment names the last one's host in all of them.
            yield judged.finding("foreign-canonical", address.line, text, f"name {here}, or leave it out", note=not judged.around.indexed)
