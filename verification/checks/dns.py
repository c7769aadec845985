"""Do the site's names lead to its distribution?"""

from __future__ import annotations

import ipaddress
import re

import dns.exception
import dns.rdatatype
import dns.resolver

from verification.model import Failed, Skipped
from verification.probe import ATTEMPTS, Probe
from verification.registry import check, expect


def _dns_wanted(probe: Probe) -> None:
    if probe.target.endpoint is not None and not probe.target.nameservers:
        raise Skipped("--resolve goes around DNS")


def _points_to_distribution(probe: Probe, kind: str, bits: int) -> str:
    """CloudFront answers with other addresses every time, of the same network for the same edge location."""
    _dns_wanted(probe)
    distribution = probe.target.distribution_domain
    if not distribution:
        raise probe.unasked("the distribution's name")
    domain = probe.contract.domain
    here: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    for _ in range(ATTEMPTS):
        here, there = probe.addresses(domain, kind), probe.addresses(distribution, kind)
        networks = {ipaddress.ip_network(f"{address}/{bits}", strict=False) for address in there}
        if all(any(ipaddress.ip_address(address) in network for network in networks) for address in here):
            return f"{domain} {kind} {', '.join(here)}, as {distribution}"
    raise Failed(f"{domain} {kind} is {', '.join(here)}, but {distribution} is {', '.join(there)}")


@check("dns.a", "A record points to the distribution")
def _dns_a(probe: Probe) -> str:
    return _points_to_distribution(probe, "A", 24)


@check("dns.aaaa", "AAAA record points to the distribution")
def _dns_aaaa(probe: Probe) -> str:
    return _points_to_distribution(probe, "AAAA", 48)


@check("dns.https", "HTTPS record offers HTTP/2 and HTTP/3")
def _dns_https(probe: Probe) -> str:
    _dns_wanted(probe)
    if not probe.contract.https_record:
        raise Skipped("an environment with failover has no HTTPS record")
    answer = probe.resolver.resolve(probe.contract.domain, dns.rdatatype.HTTPS, lifetime=probe.target.timeout)
    text = "; ".join(str(record) for record in answer)
    offered = set(re.findall(r"[a-z0-9.]+", " ".join(re.findall(r'alpn="([^"]*)"', text))))
    wanted = {f"h{version}" for version in probe.contract.http_versions if version in ("2", "3")}
    missing = ", ".join(sorted(wanted - offered))
    return expect(not missing, f"{text} (no alpn {missing})" if missing else text)
