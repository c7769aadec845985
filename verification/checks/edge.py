"""The edge: does it keep the page, compress it, answer sooner than the bucket, and say errors and redirects as it should?"""

from __future__ import annotations

from urllib.parse import quote

from assembly.files import sha256
from pages.routing import redirected
from verification.checks.assets import COMPRESSED_FROM
from verification.model import SPELLED_TWICE, Failed, NotApplicable, Skipped
from verification.probe import ASSETS, ATTEMPTS, PATH_SAFE, Answer, Probe, seen
from verification.registry import check, expect
from website.content import ROBOTS, cache_control

SMALL = 16_384
"""Bytes of an error page: every missing script and image is answered with it."""
REDIRECTS = 10
"""Redirects of the table that are asked for."""
MISSING = "assets/verify-no-such-file.js"


@check("edge.page", "The page is kept at the edge")
def _page(probe: Probe) -> str:
    _kept(probe)
    answers = [probe.get(probe.contract.entry_path, encoding="br", again=n) for n in range(ATTEMPTS + 1)]
    hits = [answer for answer in answers[1:] if _mark(answer).startswith("Hit")]
    if not hits:
        raise Failed(f"x-cache: {', '.join(_mark(answer) or 'none' for answer in answers)} (wanted: Hit from the second request on)")
    ages = [int(answer.headers["age"]) if answer.headers.get("age", "").isdecimal() else -1 for answer in hits]
    return expect(ages[0] >= 0 and ages == sorted(ages), f"{_mark(answers[0]) or 'none'}, then Hit; Age {ages[0]} to {ages[-1]} s")


@check("edge.compressed", "The page is compressed with brotli")
def _compressed(probe: Probe) -> str:
    _kept(probe)
    if len(probe.entry.body) < COMPRESSED_FROM:
        raise Skipped(f"the page has {len(probe.entry.body):,} bytes; CloudFront compresses from {COMPRESSED_FROM:,} on")
    found = [
        probe.get(probe.contract.entry_path, encoding="br", again=n).headers.get("content-encoding", "none") for n in range(ATTEMPTS + 1)
    ]
    return expect("br" in found, f"content-encoding: {'br' if 'br' in found else found[-1]}")


@check("edge.first_byte", "The first byte of the page comes from the edge")
def _first_byte(probe: Probe) -> str:
    _kept(probe)
    entry = probe.contract.entry_path
    hits = [a for a in (probe.get(entry, encoding="br", again=n) for n in range(ATTEMPTS + 1)) if _mark(a).startswith("Hit")]
    if not hits:
        raise Failed("no request of the page was a Hit")
    through = probe.get(probe.prefix + MISSING).first_byte
    # Told, not judged: how long either takes is a matter of the network between here and there.
    return f"{_milliseconds(min(a.first_byte for a in hits))} from the edge, {_milliseconds(through)} by way of the bucket"


@check("edge.not_found", "A missing file comes with its status and the small page")
def _not_found(probe: Probe) -> str:
    page = probe.contract.not_found_page
    if not page:
        raise NotApplicable
    wanted, answer = probe.get(page), probe.get(probe.prefix + MISSING)
    if wanted.status != 200:
        raise Failed(f"{page}: {seen(wanted)}: publish writes it, so publish again")
    same = answer.status == 404 and answer.body == wanted.body and len(answer.body) <= SMALL
    return expect(same, f"{seen(answer)}, {len(answer.body):,} bytes", f"404 with {page}, at most {SMALL:,} bytes")


@check("edge.robots", "Search engines are sent away")
def _robots(probe: Probe) -> str:
    if probe.contract.indexing or probe.prefix != "/":
        raise NotApplicable
    answer = probe.get(f"/{ROBOTS}")
    return expect(answer.status == 200 and b"\nDisallow: /\n" in answer.body, f"{seen(answer)}: {answer.body[:60]!r}")


@check("edge.redirects", "What has moved leads to its new path")
def _redirects(probe: Probe) -> str:
    routing = probe.contract.routing
    if routing is None or not routing.redirects:
        raise NotApplicable
    wrong = []
    asked = routing.redirects[:REDIRECTS]
    for each in asked:
        path = each.path.removesuffix("*") + ("verify" if each.path.endswith("*") else "")
        answer, wanted = probe.get(path), redirected(path, each.path, each.to)
        found = answer.headers.get("location", "nowhere")
        if (answer.status, found) != (each.status, wanted):
            wrong.append(f"{path}: {answer.status} to {found} (wanted: {each.status} to {wanted})")
    return expect(not wrong, "; ".join(wrong) or f"{len(asked)} of {len(routing.redirects)} asked for")


@check("edge.redirect_hosts", "The other names lead to the site")
def _redirect_hosts(probe: Probe) -> str:
    routing = probe.contract.routing
    if routing is None or not routing.redirect_hosts:
        raise NotApplicable
    wanted = f"https://{probe.contract.domain}{probe.contract.entry_path}"
    found = {host: probe.get_host(host, probe.contract.entry_path) for host in routing.redirect_hosts}
    wrong = [
        f"{host}: {answer.status} to {answer.headers.get('location', 'nowhere')}"
        for host, answer in found.items()
        if answer.status not in (301, 308) or answer.headers.get("location") != wanted
    ]
    return expect(not wrong, "; ".join(wrong) or f"{', '.join(found)} to {wanted}", wanted)


@check("edge.spellings", "Files are the released ones by every spelling of their address")
def _spellings(probe: Probe) -> str:
    """An edge keeps `/runtime~main.js` and `/runtime%7Emain.js` apart, and an invalidation of one may leave the other."""
    if not probe.target.spelled:
        raise NotApplicable
    asked = []
    for path, digest in list(probe.target.spelled.items())[:ASSETS]:
        plain = quote(path, safe=PATH_SAFE)
        asked += [(plain, digest), (SPELLED_TWICE.sub(lambda found: f"%{ord(found[0]):02X}", plain), digest)]
    other = [path for path, digest in asked if sha256(probe.get(path).body) != digest]
    return expect(not other, f"{', '.join(other)}: not as released" if other else f"{len(asked)} asked for")


def _kept(probe: Probe) -> None:
    """Raises NotApplicable where the page's cache rule keeps it from the edge."""
    rule = cache_control(probe.contract.index_document.lstrip("/"), probe.contract.cache_rules)
    if "s-maxage" not in rule:
        raise NotApplicable


def _mark(answer: Answer) -> str:
    return str(answer.headers.get("x-cache", "")).removesuffix(" from cloudfront")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
