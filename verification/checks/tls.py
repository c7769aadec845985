"""Is the certificate the right one, and are only the configured TLS versions spoken?"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from verification.model import Skipped
from verification.probe import Probe
from verification.registry import check, expect

CERTIFICATE_DAYS = 30
"""Fewer days left than this mean that renewal is stuck: ACM renews 45 to 60 days before the end (ACM User Guide, managed renewal)."""


@check("tls.chain", "Certificate chain is trusted and fits the host name")
def _tls_chain(probe: Probe) -> str:
    issuer = probe.certificate.get("issuer", ())
    names = [value for part in issuer if isinstance(part, tuple) for name, value in part if name == "organizationName"]  # type: ignore[attr-defined]
    return f"issued by {', '.join(names) or 'an authority without a name'}"


@check("tls.names", "Certificate carries every configured name")
def _tls_names(probe: Probe) -> str:
    names = _certificate_names(probe)
    missing = ", ".join(name for name in probe.contract.certificate_names if name not in names)
    carried = f"names {', '.join(names)}"
    if missing and probe.target.preview:
        raise Skipped(f"a preview knows no certificate that its templates do not make ({carried})")
    return expect(not missing, f"{carried} (not {missing})" if missing else carried)


def _certificate_names(probe: Probe) -> tuple[str, ...]:
    listed = probe.certificate.get("subjectAltName", ())
    return tuple(str(value) for kind, value in listed if kind == "DNS")  # type: ignore[attr-defined]


@check("tls.days", f"Certificate lasts at least {CERTIFICATE_DAYS} more days")
def _tls_days(probe: Probe) -> str:
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(probe.certificate["notAfter"])), UTC)
    days = (end - probe.now()).days
    return expect(days >= CERTIFICATE_DAYS, f"{days} days left, until {end:%Y-%m-%d}")


_VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}


def _speaks(probe: Probe, version: str) -> bool:
    """Whether a handshake with exactly that version succeeds; the certificate is another check's business."""
    import warnings

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = _VERSIONS[version]
            if version in ("TLS 1.0", "TLS 1.1"):
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
    except (ssl.SSLError, ValueError):
        raise Skipped(f"the OpenSSL here cannot speak {version}") from None
    probe.address()
    try:
        with probe.handshake(context):
            return True
    except ssl.SSLError as error:
        if "NO_PROTOCOLS_AVAILABLE" in str(error) or "NO_CIPHERS_AVAILABLE" in str(error):
            raise Skipped(f"the OpenSSL here cannot speak {version}") from None
        return False
    except (ConnectionResetError, BrokenPipeError):
        return False


def _accepted(probe: Probe, version: str) -> str:
    minimum = probe.contract.minimum_protocol_version
    if version == "TLS 1.2" and minimum.startswith("TLSv1.3"):
        return expect(not _speaks(probe, version), f"refused, as {minimum} wants")
    return expect(_speaks(probe, version), f"{version} {'accepted' if _speaks(probe, version) else 'refused'}")


@check("tls.1.2", "TLS 1.2 is spoken as configured")
def _tls_12(probe: Probe) -> str:
    return _accepted(probe, "TLS 1.2")


@check("tls.1.3", "TLS 1.3 is accepted")
def _tls_13(probe: Probe) -> str:
    return _accepted(probe, "TLS 1.3")


@check("tls.old", "TLS 1.0 and 1.1 are refused")
def _tls_old(probe: Probe) -> str:
    spoken = [version for version in ("TLS 1.0", "TLS 1.1") if _speaks(probe, version)]
    return expect(not spoken, f"accepts {', '.join(spoken)}" if spoken else "refused")
