"""What the public DNS says: name servers and CAA records, through the system's resolver.

In: names. Out: plain values; empty where there are none. Raises `DnsError` where nobody answered, so that "none" is always an answer.
Never: caches, or asks for anything but NS and CAA.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS = 5.0
"""For one question, all its retries included."""


class DnsError(Exception):
    """No answer, or a failure of the name servers."""


@dataclass(frozen=True, kw_only=True)
class Caa:
    """One CAA property (RFC 8659)."""

    critical: bool
    tag: str
    """Lower case: issue, issuewild, iodef, ..."""
    value: str


class Resolver(Protocol):
    """Where public DNS is asked."""

    def name_servers(self, name: str) -> tuple[str, ...]:
        """NS of exactly that name, sorted, lower case, without last dots."""
        ...

    def caa(self, name: str) -> tuple[Caa, ...]:
        """CAA of exactly that name."""
        ...


class PublicDns:
    """The system's resolver, by dnspython, which is imported when the first question is asked."""

    def name_servers(self, name: str) -> tuple[str, ...]:
        """As `Resolver`."""
        return tuple(sorted(str(record.target).rstrip(".").lower() for record in self._ask(name, "NS")))

    def caa(self, name: str) -> tuple[Caa, ...]:
        """As `Resolver`."""
        return tuple(
            Caa(critical=bool(r.flags & 128), tag=r.tag.decode("ascii", "replace").lower(), value=r.value.decode("utf-8", "replace"))
            for r in self._ask(name, "CAA")
        )

    @staticmethod
    def _ask(name: str, kind: str) -> Iterable[Any]:
        import dns.exception
        import dns.resolver

        try:
            return dns.resolver.resolve(name + ".", kind, lifetime=SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            raise DnsError(f"{kind} of {name}: {error}") from error
