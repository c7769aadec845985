"""What of a live resource is other than the assembly has it, property by property.

In: a `Place`, the live properties, the type's schema. Out: `Difference` values, and what is there that the template says nothing of.
Never: shows a secret: what is made of one, and what usually holds one, is hidden; takes a write-only property, which nobody can read, for
a difference.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from adoption.places import Place
from adoption.terraform_types import CERTIFICATE, RECORD
from assembly.model import Frozen
from changes.structure import differences_of
from guards import documents
from takeover.live import masked, without
from templates.intrinsics import holds_secret, marked, unresolved, value_of
from templates.schemas import Schema
from templates.values import Redacted, Value


class Difference(Frozen, frozen=True, kw_only=True):
    """One property. None: absent."""

    path: str
    live: Value | None
    ours: Value | None
    replaces: bool = False
    """Changing it makes another resource (create-only)."""


_HIDDEN = re.compile(r"(^|\.)(Code|FunctionCode|SecretString)($|[.\[])")
"""Places whose text may hold a secret anywhere. Of headers and variables only the values are hidden (`takeover.live.masked`)."""

_HASH = re.compile(r"\$(scrypt|hmac-sha256|2[aby]|argon2id?)\$[^\s\"']+")

_UNREADABLE = {CERTIFICATE: ("DomainValidationOptions", "ValidationMethod")}
"""Properties that no read handler gives back whole, beside the schema's write-only ones. Source: ACM API, CertificateDetail."""


def compared(place: Place, live: Mapping[str, Any], schema: Schema | None) -> tuple[Difference, ...]:
    """By path. Of top-level properties those that the template has; inside of them also what only the live resource has."""
    unreadable = {(name,) for name in _UNREADABLE.get(place.type, ())} | (schema.read_only | schema.write_only if schema else set())
    ours = without(place.properties, unreadable)
    told = masked(live)
    theirs = {name: told[name] for name in ours if name in told}
    found = []
    for path, before, after in differences_of(_even(place.type, theirs), _even(place.type, ours)):
        if (after is None and _empty(before)) or (before is None and _empty(after)) or (before in ([], {}) and after in ([], {})):
            continue
        known = not (unresolved(after) or marked(after))
        found.append(
            Difference(
                path=path,
                live=_shown(path, before, after),
                ours=_shown(path, after, after),
                replaces=known and schema is not None and schema.recreation(path) == "always",
            )
        )
    return tuple(found)


def beside(place: Place, live: Mapping[str, Any], schema: Schema | None) -> tuple[str, ...]:
    """Names of properties that the live resource has and the template says nothing of; CloudFormation leaves them as they are."""
    read_only = schema.read_only if schema else ()
    return tuple(
        sorted(name for name, value in live.items() if name not in place.properties and (name,) not in read_only and not _empty(value))
    )


def _shown(path: str, value: Any, ours: Any) -> Value | None:
    if value is None:
        return None
    shown = value_of(value)
    if holds_secret(ours) or _HIDDEN.search(path) or _hides(value) or _HASH.search(getattr(shown, "text", "")):
        return Redacted()
    return shown


def _hides(value: Any) -> bool:
    """Whether such a place lies inside of the value."""
    if isinstance(value, Mapping):
        return any((each and _HIDDEN.search(str(key))) or _hides(each) for key, each in value.items())
    return isinstance(value, list) and any(_hides(each) for each in value)


def _empty(value: Any) -> bool:
    """What AWS answers where nothing was set."""
    if isinstance(value, Mapping):
        return all(_empty(each) for each in value.values())
    if isinstance(value, list):
        return all(_empty(each) for each in value)
    return value in (None, "", False, 0, "none")


# --- what AWS writes in another form ------------------------------------------------------------------------------


def _even(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _sorted(value) for name, value in properties.items()}
    if kind == RECORD:
        if isinstance(found.get("Name"), str):
            found["Name"] = _host(found["Name"])
        target = found.get("AliasTarget")
        if isinstance(target, Mapping) and isinstance(target.get("DNSName"), str) and not marked(target["DNSName"]):
            found["AliasTarget"] = {**target, "DNSName": _host(target["DNSName"]).removeprefix("dualstack.")}
    if kind == CERTIFICATE:
        # ACM counts the domain itself among its alternative names.
        names = {*map(str, found.get("SubjectAlternativeNames") or [])} - {str(found.get("DomainName"))}
        found["SubjectAlternativeNames"] = sorted(names)
    return found


def _host(name: str) -> str:
    return name.rstrip(".").lower()


_POLICY_LISTS = ("Action", "NotAction", "Resource", "NotResource", "Principal", "Service", "AWS", "Federated")


def _sorted(value: Any, key: str = "") -> Any:
    """Lists of texts in one order, and a policy's text where a list may stand as a list; their order means nothing to AWS."""
    if isinstance(value, Mapping):
        return {name: _sorted(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(value) if all(isinstance(each, str) for each in value) else [_sorted(each) for each in value]
    if isinstance(value, str):
        # A policy that is written as a text.
        with contextlib.suppress(documents.Unreadable):
            return _sorted(documents.mapping(value))
    return [value] if key in _POLICY_LISTS else value


def scalars(properties: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(attribute, value) of every text in a structure, as Fn::GetAtt names it: "FunctionMetadata.FunctionARN"."""
    for name, value in properties.items():
        if isinstance(value, str):
            yield ".".join((*path, name)), value
        elif isinstance(value, Mapping):
            yield from scalars(value, (*path, name))
