"""Assets: do they load, compressed and from CloudFront?"""

from __future__ import annotations

from files.types import content_type
from verification.model import Skipped
from verification.probe import ATTEMPTS, Probe, seen
from verification.registry import check, expect

COMPRESSED_FROM = 1000
"""Bytes from which CloudFront compresses (CloudFront Developer Guide, serving compressed files)."""

COMPRESSED_TYPES = ("text/", "application/json", "application/manifest+json", "image/svg+xml", "application/wasm")


@check("assets.load", "Every asset of the page loads")
def _assets(probe: Probe) -> str:
    wrong = []
    for path in probe.asset_paths:
        answer = probe.get(path)
        kind = answer.headers.get("content-type", "")
        if answer.status != 200 or kind.split(";")[0] != content_type(path).split(";")[0]:
            wrong.append(f"{path}: {seen(answer)}, wanted {content_type(path)}")
    return expect(not wrong, "; ".join(wrong) or f"{len(probe.asset_paths)} assets")


@check("assets.compressed", "Text assets are compressed")
def _compressed(probe: Probe) -> str:
    wrong, right = [], 0
    for path in probe.immutable_paths:
        plain = probe.get(path)
        if len(plain.body) < COMPRESSED_FROM or not content_type(path).startswith(COMPRESSED_TYPES):
            continue
        encodings = (probe.get(path, encoding="br, gzip", again=n).headers.get("content-encoding", "") for n in range(ATTEMPTS))
        if any(encoding in ("br", "gzip", "zstd") for encoding in encodings):
            right += 1
        else:
            wrong.append(path)
    if not right and not wrong:
        raise Skipped(f"the page loads no immutable text of {COMPRESSED_FROM:,} bytes or more")
    return expect(not wrong, f"sent as they are: {', '.join(wrong)}" if wrong else f"{right} assets")


@check("assets.cloudfront", "Assets come from CloudFront")
def _cloudfront(probe: Probe) -> str:
    strangers = []
    for path in probe.asset_paths[:5]:
        headers = probe.get(path).headers
        if "cloudfront" not in headers.get("via", "").lower() or "x-amz-cf-id" not in headers:
            strangers.append(f"{path}: via {headers.get('via', 'nobody')}")
    return expect(not strangers, "; ".join(strangers) or "via CloudFront")
