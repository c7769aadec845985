"""Whether the caller's settings are so plain that S3 can be asked without botocore, as they are in CI.

In: the environment and the home folder. Out: credentials and endpoint, or None for anything that botocore has to make sense of.
Never: guesses what a setting means: one that is not known to be harmless is botocore's.

Source: AWS SDKs and Tools Reference Guide, "Environment variables list" and "Settings reference"; botocore's order of credentials has
those of the environment first where no profile is named.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from direct.signing import Keys

_HARMLESS = frozenset(
    (
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
        *("AWS_EC2_METADATA_DISABLED", "AWS_EXECUTION_ENV", "AWS_DEFAULT_OUTPUT", "AWS_PAGER"),
    )
)
"""What is used here, or changes nothing about a request."""
_PROXIES = frozenset(("http_proxy", "https_proxy", "all_proxy"))
_TRUST = frozenset(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "BOTO_CONFIG"))
_HARMLESS_LINE = re.compile(r"\s*(?:[#;].*|\[default\]\s*|(?:region|output|cli_pager)\s*=.*)?")
_REGION = re.compile(r"(?!cn-|us-iso|eu-isoe|eusc-)[a-z]{2}-[a-z]+-\d")
"""Those whose addresses end in amazonaws.com."""
_PRINTABLE = re.compile("[!-~]+")


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to ask."""

    keys: Keys
    endpoint: str = ""
    """Scheme and host in the place of S3; "" is S3's own."""
    trust: str = ""
    """File of certificates in the place of the system's."""


def _proxies_of_system() -> Mapping[str, str]:
    """Proxies that macOS or Windows is set to use; which botocore obeys. Linux has none but the environment's."""
    if sys.platform not in ("darwin", "win32"):
        return {}
    from urllib.request import getproxies

    return getproxies()


def access(
    environ: Mapping[str, str], home: Path, *, region: str, proxies: Callable[[], Mapping[str, str]] = _proxies_of_system
) -> Access | None:
    """Credentials and endpoint as the environment says them; None where there is more to it."""
    given = {name for name, value in environ.items() if value}
    odd = {name for name in given if name.startswith("AWS_") and name not in _HARMLESS}
    if odd or given & _TRUST or {name.lower() for name in given} & _PROXIES or not _REGION.fullmatch(region):
        return None
    files = (
        environ.get("AWS_CONFIG_FILE") or home / ".aws" / "config",
        environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials",
    )
    # botocore puts variables into the names of these files, and takes descriptions of services from that folder.
    if any(sign in str(file) for file in files for sign in "$%") or (home / ".aws" / "models").exists() or proxies():
        return None
    endpoint = environ.get("AWS_ENDPOINT_URL", "")
    if not (_plain(endpoint) and all(_says_nothing(Path(file).expanduser()) for file in files)):
        return None
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    access_key, secret_key, token = (environ.get(name, "") for name in names)
    if not (_PRINTABLE.fullmatch(access_key) and _PRINTABLE.fullmatch(secret_key) and _PRINTABLE.fullmatch(token or "none")):
        return None
    keys = Keys(access_key=access_key, secret_key=secret_key, token=token)
    return Access(keys=keys, endpoint=endpoint.rstrip("/"), trust=environ.get("AWS_CA_BUNDLE", ""))


def _plain(endpoint: str) -> bool:
    """None, or a scheme and a host."""
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        return False
    return not endpoint or (
        parts.scheme in ("http", "https") and endpoint.rstrip("/") == f"{parts.scheme}://{parts.netloc}" and "@" not in endpoint
    )


def _says_nothing(file: Path) -> bool:
    """The file is not there, or sets nothing that a request depends on."""
    try:
        return all(map(_HARMLESS_LINE.fullmatch, file.read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False
