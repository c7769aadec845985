"""What a page view costs: bytes and time, with the page kept at the edge and without, on the preview.

150 ms to the bucket (`--origin-slow`), 5 ms from the visitor to the edge (slept before each request). "Before" is the same template
with the managed CachingDisabled policy and pages with `no-cache`, as they were until decision 21. Needs the app of tests/app
(tests/browser/setup.sh).
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.browser.previews import ROOT, Running, built, preview

EDGE_SECONDS = 0.005
ORIGIN = "150ms"
ROUNDS = 9
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def before(dist: Path) -> None:
    """The templates as they were: nothing of the default behaviour is kept."""
    template = dist / "prod" / "site.template.json"
    document = json.loads(template.read_text())
    config = document["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    config["DefaultCacheBehavior"]["CachePolicyId"] = CACHING_DISABLED
    template.write_text(json.dumps(document))
    manifest = dist / "prod" / "assembly.json"
    manifest.write_text(re.sub(r'"public, max-age=0, must-revalidate[^"]*"', '"no-cache"', manifest.read_text()))


class Visitor:
    """A browser, as far as its cache goes. `bytes`: bodies and headers as they came."""

    def __init__(self, site: Running) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{site.port}", headers={"host": site.alias, "accept-encoding": "br, gzip"})
        self.kept: dict[str, tuple[str, bytes]] = {}
        self.bytes = 0

    def get(self, path: str) -> bytes:
        etag, body = self.kept.get(path, ("", b""))
        time.sleep(EDGE_SECONDS)
        answer = self.client.get(path, headers={"if-none-match": etag} if etag else {})
        self.bytes += int(answer.headers.get("content-length", 0)) + sum(len(k) + len(v) + 4 for k, v in answer.headers.raw)
        if answer.status_code == 304:
            return body
        self.kept[path] = (answer.headers.get("etag", ""), answer.content)
        return answer.content

    def view(self) -> tuple[float, float, int]:
        """Seconds to the page, seconds until all that it loads is there, bytes. Immutable files come from the browser's cache."""
        begun, sent = time.monotonic(), self.bytes
        page = self.get("/buy").decode()
        first = time.monotonic() - begun
        wanted = [path for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page) if path not in self.kept]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(self.get, wanted))
        return first, time.monotonic() - begun, self.bytes - sent


def measured(dist: Path) -> dict[str, tuple[float, float, int]]:
    """The first visitor of an edge location, the next ones, and one who comes again."""
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "site"
        shutil.copytree(ROOT / "tests" / "app" / "dist" / "1", content)
        with preview(dist, "prod", content, "--origin-slow", ORIGIN) as site:
            first = Visitor(site).view()
            again = Visitor(site)
            others = [Visitor(site).view() for _ in range(ROUNDS)]
            again.view()
            repeated = [again.view() for _ in range(ROUNDS)]
    return {"first visitor of an edge location": first, "next visitor": _median(others), "a visitor who comes again": _median(repeated)}


def _median(views: list[tuple[float, float, int]]) -> tuple[float, float, int]:
    return statistics.median(v[0] for v in views), statistics.median(v[1] for v in views), int(statistics.median(v[2] for v in views))


def main() -> None:
    """Print the table of docs/performance.md."""
    with tempfile.TemporaryDirectory() as folder:
        after = built(Path(folder) / "after")
        old = Path(folder) / "before"
        shutil.copytree(after, old)
        before(old)
        was, now = measured(old), measured(after)
    print("| page view | page there, before | now | all there, before | now | bytes, before | now |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in was:
        times = " | ".join(f"{was[name][n] * 1000:,.0f} ms | {now[name][n] * 1000:,.0f} ms" for n in (0, 1))
        print(f"| {name} | {times} | {was[name][2]:,} | {now[name][2]:,} |")


if __name__ == "__main__":
    main()
