"""Security headers: on the page, on assets, on refusals."""

from __future__ import annotations

from collections.abc import Iterator

from verification.probe import Answer, Probe
from verification.registry import check, expect


@check("headers.page", "The page carries every security header")
def _headers_page(probe: Probe) -> str:
    return _headers(probe, probe.contract.entry_path)


@check("headers.assets", "Assets carry every security header")
def _headers_assets(probe: Probe) -> str:
    return _headers(probe, probe.asset_paths[0])


def _headers(probe: Probe, path: str) -> str:
    headers = probe.get(path).headers
    wrong = [
        f"{name}: {headers.get(name, 'none')} (wanted: {value})"
        for name, value in probe.contract.response_headers.items()
        if headers.get(name) != value
    ]
    return expect(not wrong, "; ".join(wrong) or f"{len(probe.contract.response_headers)} headers")


@check("headers.hsts", "Strict-Transport-Security is on every answer, refusals too")
def _hsts(probe: Probe) -> str:
    wanted = probe.contract.response_headers.get("strict-transport-security", "")
    entry = probe.contract.entry_path
    missing = []
    for name, answer in _all_kinds(probe, entry):
        found = answer.headers.get("strict-transport-security", "none")
        if found != wanted:
            missing.append(f"{name} ({answer.status}): {found}")
    return expect(not missing, "; ".join(missing) or wanted, wanted)


def _all_kinds(probe: Probe, entry: str) -> Iterator[tuple[str, Answer]]:
    if probe.contract.basic_auth:
        yield "the refusal", probe.get(entry, credentials=False)
        yield "the health path", probe.get(probe.contract.health_path, credentials=False)
        if not probe.target.password:
            return
    yield "the page", probe.entry
    yield "a missing asset", probe.get(f"{probe.prefix}assets/verify-no-such-file.js")
    if entry != "/":
        yield "the root", probe.get("/")
