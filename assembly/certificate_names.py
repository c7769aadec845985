"""Whether a name of a certificate stands for a host name. In: two names. Out: yes or no. Never: asks anybody."""

from __future__ import annotations


def certificate_covers(certificate_name: str, domain: str) -> bool:
    """A wildcard stands for exactly one left-most label (RFC 6125, 6.4.3); names have no case (RFC 4343)."""
    name, host = certificate_name.lower(), domain.lower()
    return host.partition(".")[2] == name[2:] if name.startswith("*.") else host == name
