"""What the scripts of a page will ask for, as far as their literals tell: notes.

In: a judged page. Out: notes. Never: refuses anything, since the code may never run.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pages import scripts
from pages.document import Reference
from pages.findings import Finding
from pages.judged import Judged, joined
from pages.loading import JAVASCRIPT
from pages.model import Served
from pages.policies import connections

READ = 32 << 20
"""Bytes of scripts that are read for a page."""


def check(judged: Judged) -> Iterator[Finding]:
    """The scripts that the page loads and, from one to the next, those they import."""
    told: set[str] = set()
    for served, url, text in _scripts(judged):
        yield from _script(judged, served, url, text, told)
    for inline in judged.document.inline:
        if inline.kind == "script":
            yield from _workers(judged, inline.code, judged.page.name, inline.line - 1)
            yield from _hosts(judged, inline.code, judged.page.name, inline.line - 1, told)
    for key, value in judged.around.configured.items():
        if joined(judged.around.origin, value) and urlsplit(value).scheme in ("http", "https", "ws", "wss") and urlsplit(value).netloc:
            yield from _host(judged, value, told, file="config.json", line=0, verb=f"{key} names")
    for served, url, _ in judged.sheets:
        yield from _map(judged, served, url, served.body().decode(errors="replace"))


def _scripts(judged: Judged) -> Iterator[tuple[Served, str, str]]:
    waiting = [url for reference, url in judged.loaded if _is_script(reference)]
    seen: set[str] = set()
    read = 0
    while waiting and read < READ:
        url = waiting.pop(0).partition("#")[0]
        if url in seen:
            continue
        seen.add(url)
        path = judged.around.local(url)
        served = judged.around.find(path) if path is not None else None
        if served is None or served.content_type.split(";")[0] not in JAVASCRIPT:
            continue
        body = served.body()
        read += len(body)
        text = body.decode(errors="replace")
        yield served, url, text
        waiting += filter(None, (joined(url, said.text) for said in scripts.imports(text)))


def _is_script(reference: Reference) -> bool:
    return reference.element == "script" or reference.rel == "modulepreload" or (reference.rel == "preload" and reference.as_ == "script")


def _script(judged: Judged, served: Served, url: str, text: str, told: set[str]) -> Iterator[Finding]:
    for said in scripts.imports(text):
        imported = joined(url, said.text)
        path = judged.around.local(imported) if imported else None
        if path is not None and judged.around.find(path) is None:
            found = f"imports {path}, which is not there{judged.around.known(path)}"
            yield judged.finding("missing-module", said.line, found, file=served.name, note=True)
    if "WebAssembly.instantiate" in text or "WebAssembly.compile" in text:
        for policy in judged.policies:
            if not policy.has("script-src", "'wasm-unsafe-eval'", "'unsafe-eval'"):
                found = "it uses WebAssembly, which script-src forbids without 'wasm-unsafe-eval'"
                yield judged.finding("csp-wasm", 0, found, file=served.name, note=True)
    yield from _workers(judged, text, served.name, 0)
    yield from _hosts(judged, text, served.name, 0, told)
    yield from _map(judged, served, url, text)


def _hosts(judged: Judged, text: str, file: str, above: int, told: set[str]) -> Iterator[Finding]:
    for said in scripts.hosts(text):
        yield from _host(judged, said.text, told, file=file, line=said.line + above, verb="it seems to talk to")


def _host(judged: Judged, url: str, told: set[str], *, file: str, line: int, verb: str) -> Iterator[Finding]:
    forbidden = connections(judged, url)
    if forbidden and urlsplit(url).netloc not in told:
        told.add(urlsplit(url).netloc)
        by, allowing = forbidden
        yield judged.finding("csp-connect", line, f"{verb} {url[:120]}, which is forbidden by {by}", allowing, file=file, note=True)


def _map(judged: Judged, served: Served, url: str, text: str) -> Iterator[Finding]:
    name = scripts.source_map(text)
    found = joined(url, name) if name else ""
    path = judged.around.local(found) if found else None
    if path is not None and judged.around.find(path) is None:
        said = f"names the source map {path}, which is not published: developer tools will ask for it and get a 404"
        yield judged.finding("source-map-missing", 0, said, "vite: build.sourcemap 'hidden'", file=served.name, note=True)


def _workers(judged: Judged, text: str, file: str, above: int) -> Iterator[Finding]:
    for worker in scripts.workers(text):
        url = joined(judged.url(""), worker.url)
        path = judged.around.local(url) if url else None
        if path is None:
            continue
        for said in _worker(judged, worker, path):
            yield judged.finding("service-worker", worker.line + above, said, file=file, note=True)


def _worker(judged: Judged, worker: scripts.Worker, path: str) -> Iterator[str]:
    served = judged.around.find(path)
    if served is None:
        yield f"registers the service worker {path}, which is not there"
        return
    if served.content_type.split(";")[0] not in JAVASCRIPT:
        yield f"the service worker {path} is served as {served.content_type.split(';')[0]}, which browsers refuse"
    if "immutable" in served.cache_control:
        yield f"the service worker {path} is cached as immutable: a cache rule of its own with no-cache lets visitors get the next one"
    folder = path.rpartition("/")[0] + "/"
    widest = judged.around.headers.get("service-worker-allowed", "") or folder
    scope = judged.around.local(joined(judged.url(""), worker.scope)) if worker.scope else folder
    if scope is None or not scope.startswith(widest):
        yield f"the service worker {path} may not have the scope {worker.scope}: it reaches {widest} and what is below"
    elif not judged.around.entry_path.startswith(scope):
        yield f"the scope {scope} of the service worker {path} leaves out the app's own page {judged.around.entry_path}"
