"""HTTP: the redirect to HTTPS and the versions that are spoken."""

from __future__ import annotations

import re

from verification.model import Skipped
from verification.probe import Probe
from verification.registry import check, expect


@check("http.redirect", "Plain HTTP redirects to HTTPS")
def _redirect(probe: Probe) -> str:
    path = probe.contract.entry_path + "?from=http"
    answer = probe.get_plain(path)
    location = answer.headers.get("location", "")
    wanted = f"https://{probe.contract.domain}{path}"
    kept = answer.status in (301, 302, 307, 308) and location == wanted
    return expect(kept, f"{answer.status} to {location or 'nowhere'}", wanted)


@check("http.2", "HTTP/2 is spoken")
def _http2(probe: Probe) -> str:
    if "2" not in probe.contract.http_versions:
        raise Skipped("not configured")
    probe.address()
    answer = probe.get(probe.contract.entry_path, credentials=False)
    return expect(answer.version == "HTTP/2", answer.version)


@check("http.3", "HTTP/3 is offered")
def _http3(probe: Probe) -> str:
    if "3" not in probe.contract.http_versions:
        raise Skipped("not configured")
    if probe.target.preview:
        raise Skipped("a preview speaks no HTTP/3")
    offer = probe.get(probe.contract.entry_path, credentials=False).headers.get("alt-svc", "")
    return expect(bool(re.search(r"\bh3\b", offer)), f"alt-svc: {offer or 'none'}")
