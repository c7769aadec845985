"""What a change set does, put together from both of its reads, the two templates and the provider schemas.

In: `ChangeSetDescription` of the gateway, the resolved resources before and after, the schemas. Out: `ResourceChange` values; the
differences between what was approved and what a newer change set would do.
Never: talks to AWS, shows a secret (where a template has one inside a value, the template's redacted text is shown, not CloudFormation's),
or trusts that CloudFormation listed everything: a resource that differs between the templates and is in no read is a change of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import msgspec

from aws.cloudformation.change_sets import ChangeSetDescription, RawChange, RawDetail
from changes.by_template import from_templates, kept_action, whole
from changes.causes import belongs, referring, settle_causes, under
from changes.context import Context
from changes.model import Action, PropertyChange, Replacement, ResourceChange
from changes.replacement import settled
from changes.structure import joined, labels
from templates.intrinsics import holds_secret
from templates.resources import DATA_HOLDING_TYPES
from templates.schemas import Schema
from templates.values import Redacted, Unknown

_ACTIONS: Mapping[str, Action] = {
    "Add": "add",
    "Modify": "modify",
    "Remove": "remove",
    "Import": "import",
    "Dynamic": "dynamic",
    "SyncWithActual": "sync",
}
_RECREATION: Mapping[str, Literal["never", "conditionally", "always"]] = {
    "Never": "never",
    "Conditionally": "conditionally",
    "Always": "always",
}
_DETAIL_CHANGES: Mapping[str, Literal["add", "modify", "remove", "sync"]] = {"Add": "add", "Remove": "remove", "SyncWithActual": "sync"}


def from_change_set(description: ChangeSetDescription, context: Context) -> tuple[ResourceChange, ...]:
    """Every change of the change set: both reads merged, values filled in from the templates, replacement settled where it can be.

    A resource that differs between the templates but is in no read comes last with `in_change_set` False.
    """
    rich = {c.logical_id: c for c in description.with_values}
    plain = {c.logical_id: c for c in description.without_values}
    order = [*plain, *(i for i in rich if i not in plain)]
    merged = tuple(_resource(_merged(rich.get(i), plain.get(i)), context) for i in order)
    missing = (from_templates(i, context) for i in sorted({*context.before, *context.after} - {*order}))
    left_out = tuple(msgspec.structs.replace(c, in_change_set=False) for c in missing if c is not None)
    return settle_causes(merged + left_out, context)


def _merged(rich: RawChange | None, plain: RawChange | None) -> RawChange:
    if rich is None or plain is None:
        return cast("RawChange", rich or plain)
    told = {(d.attribute, d.name) for d in rich.details}
    more = tuple(d for d in plain.details if (d.attribute, d.name) not in told)
    return msgspec.structs.replace(
        rich,
        details=rich.details + more,
        replacement=rich.replacement or plain.replacement,
        policy_action=rich.policy_action or plain.policy_action,
        physical_id=rich.physical_id or plain.physical_id,
    )


def _resource(raw: RawChange, context: Context) -> ResourceChange:
    action = _ACTIONS.get(raw.action, "dynamic")
    by_template = from_templates(raw.logical_id, context)
    kind = raw.resource_type or (by_template.resource_type if by_template else "")
    schema = context.schemas.of(kind, context.region)
    if action in ("add", "remove", "import"):
        properties = by_template.properties if by_template and by_template.action in ("add", "remove") else ()
        if not properties and action == "import":
            properties = whole(context.after.get(raw.logical_id, {}), "import")
        replacement = Replacement(verdict="no")
    else:
        properties = _properties(raw, by_template, context)
        replacement = _replacement(raw, properties, schema)
    policy = raw.policy_action
    if policy is None and by_template is not None and (action == "remove" or replacement.verdict != "no"):
        policy = by_template.policy_action or kept_action(context.after.get(raw.logical_id, {}).get("UpdateReplacePolicy"), replace=True)
    return ResourceChange(
        logical_id=raw.logical_id,
        resource_type=kind,
        action=action,
        physical_id=raw.physical_id or None,
        replacement=replacement,
        policy_action=cast("Any", policy),
        holds_data=kind in DATA_HOLDING_TYPES,
        properties=properties,
    )


_POSITION = re.compile(r"\[\d+\]")
_OPEN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What CloudFormation writes for a value that only the execution can tell (API ResourceTargetDefinition, AfterValue)."""
_POINTER = re.compile(r"^/(?P<attribute>[A-Za-z]+)(?P<path>/.*)?$")


def dotted(pointer: str, name: str) -> str:
    """CloudFormation's path ("/Properties/Tags/0/Value") as ours ("Tags[0].Value"); the name where there is no path."""
    match = _POINTER.match(pointer)
    if not match or not match["path"]:
        return name
    found = ""
    for part in match["path"].strip("/").split("/"):
        found += f"[{part}]" if part.isdecimal() and found else f".{part}" if found else part
    return found


def _named(pointer: str, name: str, *, sides: tuple[Any, Any]) -> tuple[str, bool]:
    """CloudFormation's path as ours, in which items of lists go by name; False where it may compare an item with another one.

    CloudFormation goes by position: with a statement more at the front, it compares each with the one before it.
    """
    path = dotted(pointer, name)
    if "[" not in path:
        return path, True
    found = [_by_name(pointer.split("/")[2:], side) for side in sides]
    known = [each for each in found if each]
    aligned = len(known) == 2 and known[0] == known[1] and not _POSITION.search(known[0])
    return (known[-1] if known else path), aligned


def _by_name(parts: list[str], body: Any) -> str:
    path = ""
    for part in parts:
        if isinstance(body, list) and part.isdecimal():
            if int(part) >= len(body):
                return ""
            path, body = f"{path}[{labels(body)[int(part)]}]", body[int(part)]
        else:
            path, body = joined(path, part), body.get(part) if isinstance(body, Mapping) else None
    return path


@dataclass
class _Found:
    """The property changes of one resource, while its details are read."""

    logical_id: str
    context: Context
    templates: tuple[PropertyChange, ...]
    changes: dict[tuple[str, str], PropertyChange] = field(default_factory=dict)
    direct: set[tuple[str, str]] = field(default_factory=set)
    """What CloudFormation itself calls a change of the template: no cause can settle that it is none."""

    def add(self, change: PropertyChange) -> None:
        self.changes.setdefault((change.attribute, change.path), change)

    def detail(self, detail: RawDetail) -> None:
        if _OPEN in f"{detail.before}{detail.after}":
            detail = msgspec.structs.replace(detail, before=None, after=None)
        attribute = detail.attribute or "Properties"
        bodies = [side.get(self.logical_id, {}).get(attribute) for side in (self.context.before, self.context.after)]
        path, aligned = _named(detail.path, detail.name, sides=(bodies[0], bodies[1]))
        top = path if aligned else path.partition("[")[0]
        related = [t for t in self.templates if t.attribute == attribute and (under(t.path, top) or under(top, t.path))]
        secret = _has_secret(self.logical_id, attribute, path, self.context)
        if related and self.templates_say_more(detail, path, related, aligned=aligned, secret=secret):
            properties = [msgspec.structs.replace(t, recreation=_stronger(t.recreation, detail)) for t in related]
        elif related or detail.before is not None or detail.after is not None or not detail.causing_entity:
            properties = [_from_detail(detail, path, self.context, hide=secret)]
            if detail.change_source == "DirectModification" and detail.evaluation != "Dynamic":
                self.direct.update((c.attribute, c.path) for c in properties)
        else:
            properties = []
        for change in properties:
            self.add(change)
        self.causes(detail, path, properties)

    def templates_say_more(self, detail: RawDetail, path: str, related: list[PropertyChange], *, aligned: bool, secret: bool) -> bool:
        """CloudFormation's values count but where it gives none, may not be shown, or compares more than what differs."""
        if detail.drifted:
            return False
        nothing = detail.before is None and detail.after is None
        deeper = any(t.path != path and under(t.path, path) for t in related)
        return nothing or secret or deeper or not aligned or any(isinstance(t.after, Unknown) for t in related)

    def causes(self, detail: RawDetail, path: str, given: list[PropertyChange]) -> None:
        """A cause goes to what depends on it; a reference that no template change is about may get another value by itself."""
        for cause in _cause(detail):
            mine = [c for c in given if belongs(cause, c, self.logical_id, self.context)]
            for change in mine:
                key = (change.attribute, change.path)
                known = self.changes[key]
                self.changes[key] = msgspec.structs.replace(known, because_of=tuple(dict.fromkeys((*known.because_of, cause))))
            if cause.startswith("parameter "):
                places = [] if given else [path]
            else:
                referring_here = [
                    p for p in referring(cause.partition(" ")[2], self.logical_id, "Properties", self.context) if under(p, path)
                ]
                told = [c.path for c in mine]
                places = [p for p in referring_here if not any(under(p, t) for t in told)]
                places = places or ([] if mine else [path])
            for place in places:
                self.open(detail, place, cause)

    def open(self, detail: RawDetail, path: str, cause: str) -> None:
        attribute = detail.attribute or "Properties"
        change = _from_detail(msgspec.structs.replace(detail, before=None, after=None, attribute_change=""), path, self.context)
        known = self.changes.setdefault((attribute, path), change)
        if known.is_open and (attribute, path) not in self.direct:
            self.changes[attribute, path] = msgspec.structs.replace(known, because_of=tuple(dict.fromkeys((*known.because_of, cause))))


def _properties(raw: RawChange, by_template: ResourceChange | None, context: Context) -> tuple[PropertyChange, ...]:
    templates = by_template.properties if by_template and by_template.action == "modify" else ()
    found = _Found(raw.logical_id, context, templates)
    for detail in raw.details:
        found.detail(detail)
    for key in found.direct:
        if found.changes[key].is_open:
            found.changes[key] = msgspec.structs.replace(found.changes[key], because_of=())
    closed = [key for key, change in found.changes.items() if not change.is_open]
    for change in templates:
        if not any(a == change.attribute and (under(change.path, p) or under(p, change.path)) for a, p in closed):
            found.changes[change.attribute, change.path] = change
    return tuple(found.changes[key] for key in sorted(found.changes, key=lambda k: (k[0] != "Properties", k)))


def _has_secret(logical_id: str, attribute: str, path: str, context: Context) -> bool:
    """Whether either template has a secret at or under the path."""
    top = re.split(r"[.\[]", path, maxsplit=1)[0]
    for side in (context.before, context.after):
        body = side.get(logical_id, {}).get(attribute)
        if isinstance(body, Mapping) and top:
            body = body.get(top)
        if holds_secret(body):
            return True
    return False


def _stronger(recreation: Literal["never", "conditionally", "always"], detail: RawDetail) -> Literal["never", "conditionally", "always"]:
    """CloudFormation's word counts; where it says Conditionally the schema decides."""
    said = _RECREATION.get(detail.requires_recreation)
    return recreation if said is None or said == "conditionally" else said


def _from_detail(detail: RawDetail, path: str, context: Context, *, hide: bool = False) -> PropertyChange:
    before, after = detail.before, detail.after
    change = _DETAIL_CHANGES.get(detail.attribute_change, "modify")
    if not detail.attribute_change and (before is None) != (after is None):
        change = "add" if before is None else "remove"
    return PropertyChange(
        path=path,
        attribute=detail.attribute or "Properties",
        change=change,
        before=None if before is None else Redacted() if hide else context.shown(before),
        after=None if after is None else Redacted() if hide else context.shown(after),
        recreation=_RECREATION.get(detail.requires_recreation, "never"),
        drifted=detail.drifted,
    )


def _cause(detail: RawDetail) -> tuple[str, ...]:
    word = {"ParameterReference": "parameter", "ResourceReference": "resource", "ResourceAttribute": "resource"}.get(detail.change_source)
    return (f"{word} {detail.causing_entity}",) if word and detail.causing_entity else ()


def _replacement(raw: RawChange, properties: tuple[PropertyChange, ...], schema: Schema | None) -> Replacement:
    because = tuple(p.path for p in properties if p.recreation == "always")
    if raw.replacement == "True":
        return Replacement(verdict="yes", because=because)
    if raw.replacement == "Conditional":
        return settled(properties, schema, by="schema")
    return Replacement(verdict="no")
