"""The bucket behind the site must not answer by itself."""

from __future__ import annotations

from verification.probe import Probe
from verification.registry import check, expect


@check("bucket.private", "The bucket refuses direct access")
def _bucket(probe: Probe) -> str:
    if not probe.target.bucket_url:
        raise probe.unasked("the bucket's own address")
    url = probe.target.bucket_url.rstrip("/") + probe.contract.index_document
    answer = probe.get_elsewhere(url)
    return expect(answer.status in (401, 403), f"{url}: {answer.status}", "403")
