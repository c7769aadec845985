"""A certificate for the preview's HTTPS, made at each start.

In: host names and the distribution's minimum TLS version. Out: an SSL context and the certificate of the authority that signed it.
Never: keeps a private key (both are gone with the process; on Linux none is ever in a file system), or asks to be trusted by the system.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta

import trustme

LIFETIME = timedelta(days=198)
"""As long as ACM's certificates (AWS Certificate Manager User Guide, "Public certificates")."""


@dataclass(frozen=True)
class Tls:
    """`authority`: PEM of the certificate that a client has to trust, no secret."""

    context: ssl.SSLContext
    authority: bytes


def make(names: tuple[str, ...], minimum_protocol_version: str, now: datetime) -> Tls:
    """`minimum_protocol_version`: CloudFront's security policy, such as TLSv1.2_2025. The certificate lasts `LIFETIME` from `now`."""
    authority = trustme.CA(organization_name="Local preview", organization_unit_name="Made at start, gone at the end")
    certificate = authority.issue_cert(*dict.fromkeys((*names, "localhost", "127.0.0.1")), not_after=now + LIFETIME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Older versions than 1.2 are not offered, whatever an old policy would allow: OpenSSL's defaults refuse them.
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if minimum_protocol_version.startswith("TLSv1.3") else ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    _load(context, certificate)
    return Tls(context, authority.cert_pem.bytes())


def _load(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    """OpenSSL reads keys from files only: on Linux from one in memory, elsewhere from one of mode 0600 for that moment."""
    if not hasattr(os, "memfd_create"):
        certificate.configure_cert(context)
        return
    descriptor = os.memfd_create("preview", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        with os.fdopen(os.dup(descriptor), "wb") as out:
            out.write(certificate.private_key_and_cert_chain_pem.bytes())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
