"""Routing and content: which paths answer the app, and is it the released one?"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from assembly.files import canonical_json, sha256
from guards import documents
from verification.model import Failed, Skipped
from verification.probe import Probe, seen
from verification.registry import check, expect
from website.content import CONFIG_FILE

DEEP_LINK, DOTTED_LINK = "/verify/deep-link", "/verify/first.last@example.com"
"""The second looks like a file, and is none by `routing.file_extensions`."""


@check("app.root", "The root leads to the app")
def _root(probe: Probe) -> str:
    entry = probe.contract.entry_path
    if entry == "/":
        raise Skipped("the app is the root")
    answer = probe.get("/")
    if answer.status == 200 and answer.body == probe.entry.body:
        return "200, the page itself"
    location = urlsplit(urljoin(f"https://{probe.contract.domain}/", answer.headers.get("location", ""))).path
    kept = answer.status in (301, 302, 307, 308) and location == entry
    return expect(kept, f"{answer.status} to {location}", f"{entry}, or the page itself")


@check("app.entry", "The entry path answers the app")
def _entry(probe: Probe) -> str:
    answer = probe.entry
    kept = answer.status == 200 and answer.is_html and b"<script" in answer.body
    return expect(kept, f"{probe.contract.entry_path}: {seen(answer)}, {len(answer.body):,} bytes", "200, HTML with a script")


@check("app.deep_link", "A deep link answers the same page")
def _deep_link(probe: Probe) -> str:
    base = probe.contract.entry_path.rstrip("/")
    paths = (f"{base}{DEEP_LINK}", *((f"{base}{DOTTED_LINK}",) if probe.contract.routing is not None else ()))
    for path in paths:
        answer = probe.get(path)
        if not (answer.status == 200 and answer.is_html and answer.body == probe.entry.body):
            raise Failed(f"{path}: {seen(answer)}, not the page of the entry path")
    return f"{', '.join(paths)}: {seen(answer)}"


@check("app.missing", "A missing asset is a 404 and not the app")
def _missing(probe: Probe) -> str:
    path = f"{probe.prefix}assets/verify-no-such-file.js"
    answer = probe.get(path)
    page = bool(probe.contract.not_found_page)
    kept = answer.status == 404 and (not answer.is_html or (page and answer.body != probe.entry.body))
    return expect(kept, f"{path}: {seen(answer)}", f"404, {'with the page for that' if page else 'no HTML'}")


@check("app.release", "The page is the released one")
def _released(probe: Probe) -> str:
    wanted = probe.target.index_sha256
    if not wanted:
        raise probe.unasked("the release")
    found = sha256(probe.entry.body)
    return expect(found == wanted, f"sha256 {found[:12]}", f"the released {wanted[:12]}")


@check("app.config", "config.json is the one of the environment")
def _config(probe: Probe) -> str:
    wanted = probe.contract.config_json
    if wanted is None:
        raise Skipped("not configured")
    answer = probe.get(probe.prefix + CONFIG_FILE)
    try:
        found = documents.loads(answer.body)
    except ValueError:
        found = None
    other = "" if found == wanted else f", other values: {_brief(found)}"
    return expect(answer.status == 200 and not other, f"{seen(answer)}{other}")


def _brief(value: object) -> str:
    try:
        return canonical_json(value).decode().replace("\n", "")[:120]
    except UnicodeEncodeError:
        return repr(value)[:120]
