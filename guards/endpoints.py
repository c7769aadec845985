"""Which endpoints somebody has put in AWS's place, by environment variables or in the profile: botocore obeys those without a word.

In: the environment, and the profile's section with that of its services. Out: a line for each override.
Never: prints a user or password that stands in a URL.

Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints" (names, and that they can be ignored).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_NAME = "AWS_ENDPOINT_URL"
_IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"


def overridden(environ: Mapping[str, str], config: Mapping[str, Any], profile: str | None) -> tuple[str, ...]:
    """For example "AWS_ENDPOINT_URL leads to http://127.0.0.1:4566". `config` is botocore's: profiles, services."""
    return tuple(f"{name} leads to {_place(url)}" for name, url in sorted(_found(environ, config, profile).items()))


def emulated_here(environ: Mapping[str, str], config: Mapping[str, Any], profile: str | None) -> bool:
    """Whether every service is put on this machine, by AWS_ENDPOINT_URL alone."""
    found = _found(environ, config, profile)
    try:
        return found.keys() == {_NAME} and urlsplit(found[_NAME]).hostname in ("127.0.0.1", "::1", "localhost")
    except ValueError:
        return False


def _found(environ: Mapping[str, str], config: Mapping[str, Any], profile: str | None) -> dict[str, str]:
    section = config.get("profiles", {}).get(profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default", {})
    if (environ.get(_IGNORED) or str(section.get(_IGNORED.lower().removeprefix("aws_"), ""))).lower() == "true":
        return {}
    found = {name: url for name, url in environ.items() if (name == _NAME or name.startswith(f"{_NAME}_")) and url}
    if isinstance(section.get("endpoint_url"), str):
        found["endpoint_url of the profile"] = section["endpoint_url"]
    services = config.get("services", {}).get(section.get("services", ""), {})
    for service, settings in services.items():
        if isinstance(settings, Mapping) and settings.get("endpoint_url"):
            found[f"endpoint_url of {service} in the profile's services"] = str(settings["endpoint_url"])
    return found


def _place(url: str) -> str:
    """Scheme, host and port."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "what is no URL"
    except ValueError:
        return "what is no URL"
