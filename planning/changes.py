"""What a change set does, put together from both of its reads, the two templates and the provider schemas.

In: `ChangeSetDescription` of the gateway, the resolved resources before and after, the schemas. Out: `ResourceChange` values; the
differences between what was approved and what a newer change set would do.
Never: talks to AWS, shows a secret (where a template has one inside a value, the template's redacted text is shown, not CloudFormation's),
or trusts that CloudFormation listed everything: a resource that differs between the templates and is in no read is a change of its own.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import msgspec

from aws.cloudformation.change_sets import ChangeSetDescription, RawChange, RawDetail
from planning.model import Action, PropertyChange, Replacement, ResourceChange
from templates.intrinsics import HIDDEN, holds_secret, known_after, marked, references, text_of, unresolved, value_of
from templates.resources import DATA_HOLDING_TYPES
from templates.schemas import Schema, Schemas
from templates.values import Known, Redacted, Unknown, Value

Resources = Mapping[str, Mapping[str, Any]]

ATTRIBUTES = ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
"""Attributes of a resource whose change CloudFormation lists (API ResourceTargetDefinition); Tags come on their own."""

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


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the changes of one stack are read with."""

    before: Resources
    """Resolved resources of the deployed template; empty for a stack that does not exist."""
    after: Resources
    """Resolved resources of the new template."""
    schemas: Schemas
    region: str
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """Stand-in value to "STACK.OUTPUT"."""
    secrets: tuple[str, ...] = ()
    """Values that must never be shown, wherever they turn up."""

    def shown(self, text: str) -> Value:
        """A value of CloudFormation's: stand-ins become unknown, secrets disappear."""
        if text == "****":
            return Redacted()
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        after = tuple(ref for stand_in, ref in self.stand_ins.items() if stand_in in text)
        for stand_in, ref in self.stand_ins.items():
            text = text.replace(stand_in, known_after(ref))
        return Unknown(text=text, after=after) if after else Known(text=text)


# --- templates ----------------------------------------------------------------------------------------------------


def same(left: Any, right: Any) -> bool:
    """Equal to CloudFormation, to which 1 is "1" and true is "true"."""
    return bool(_canonical(left) == _canonical(right))


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_canonical(v) for v in value]
    return None if value is None else text_of(value)


def differences_of(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of every smallest part that differs; None where it is absent. Lists are aligned before they are compared."""
    if same(before, after):
        return
    if _plain_mapping(before) and _plain_mapping(after):
        for key in sorted({*before, *after}):
            yield from differences_of(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and any(isinstance(v, (Mapping, list)) for v in (*before, *after)):
        left, right = ([json.dumps(_canonical(v), sort_keys=True) for v in side] for side in (before, after))
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            if tag == "equal":
                continue
            paired = min(i2 - i1, j2 - j1)
            for k in range(paired):
                yield from differences_of(before[i1 + k], after[j1 + k], f"{path}[{j1 + k}]")
            for i in range(i1 + paired, i2):
                yield f"{path}[{i}]", before[i], None
            for j in range(j1 + paired, j2):
                yield f"{path}[{j}]", None, after[j]
    else:
        yield path, before, after


def _plain_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and not (len(value) == 1 and unresolved(value))


def _shown(value: Any) -> Value | None:
    return None if value is None else value_of(value)


def from_templates(logical_id: str, context: Context) -> ResourceChange | None:
    """What becomes of a resource by the two templates alone; None if nothing."""
    before, after = context.before.get(logical_id), context.after.get(logical_id)
    if before is None and after is None:
        return None
    kind = str((after or before or {}).get("Type", ""))
    if before is None or after is None:
        body = after or before or {}
        action: Action = "add" if before is None else "remove"
        policy = None if action == "add" else _kept(body.get("DeletionPolicy"), replace=False)
        return ResourceChange(
            logical_id=logical_id,
            resource_type=kind,
            action=action,
            policy_action=policy,
            holds_data=kind in DATA_HOLDING_TYPES,
            properties=_whole(body, action),
        )
    if before.get("Type") != after.get("Type"):
        return ResourceChange(
            logical_id=logical_id,
            resource_type=kind,
            action="modify",
            replacement=Replacement(verdict="yes", by="schema", because=("Type",)),
            policy_action=_kept(before.get("UpdateReplacePolicy"), replace=True),
            holds_data=str(before.get("Type")) in DATA_HOLDING_TYPES,
            properties=(PropertyChange(path="", attribute="Type", before=_shown(before.get("Type")), after=_shown(kind)),),
        )
    schema = context.schemas.of(kind, context.region)
    changes = tuple(_template_changes(before, after, schema))
    if not changes:
        return None
    replacement = settled(changes, schema, by="schema")
    return ResourceChange(
        logical_id=logical_id,
        resource_type=kind,
        action="modify",
        replacement=replacement,
        policy_action=None if replacement.verdict == "no" else _kept(after.get("UpdateReplacePolicy"), replace=True),
        holds_data=kind in DATA_HOLDING_TYPES,
        properties=changes,
    )


def _kept(policy: Any, *, replace: bool) -> Any:
    word = policy if policy in ("Retain", "Snapshot") else "Retain" if policy == "RetainExceptOnCreate" else "Delete"
    return f"ReplaceAnd{word}" if replace else word


def _whole(body: Mapping[str, Any], action: Action) -> tuple[PropertyChange, ...]:
    """The properties of a resource that comes or goes, one for each top-level name."""
    coming = action != "remove"
    return tuple(
        PropertyChange(
            path=name,
            change="add" if coming else "remove",
            before=None if coming else value_of(value),
            after=value_of(value) if coming else None,
            values_from="template",
        )
        for name, value in sorted((body.get("Properties") or {}).items())
    )


def _template_changes(before: Mapping[str, Any], after: Mapping[str, Any], schema: Schema | None) -> Iterator[PropertyChange]:
    for attribute in ATTRIBUTES:
        for path, old, new in differences_of(before.get(attribute) or None, after.get(attribute) or None):
            of_property = attribute == "Properties"
            yield PropertyChange(
                path=path,
                attribute=attribute,
                change="add" if old is None else "remove" if new is None else "modify",
                before=_shown(old),
                after=_shown(new),
                recreation=(schema.recreation(path) if schema else "conditionally") if of_property and path else "never",
                values_from="template",
            )


def all_from_templates(context: Context) -> tuple[ResourceChange, ...]:
    """Every change by the two templates alone, for what has no change set (StackSets, a preview that CloudFormation refused)."""
    found = (from_templates(logical_id, context) for logical_id in sorted({*context.before, *context.after}))
    return _settle_causes(tuple(c for c in found if c is not None), context)


# --- change sets --------------------------------------------------------------------------------------------------


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
    return _settle_causes(merged, context) + left_out


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
            properties = _whole(context.after.get(raw.logical_id, {}), "import")
        replacement = Replacement(verdict="no")
    else:
        properties = _properties(raw, by_template, context)
        replacement = _replacement(raw, properties, schema)
    policy = raw.policy_action
    if policy is None and by_template is not None and (action == "remove" or replacement.verdict != "no"):
        policy = by_template.policy_action or _kept(context.after.get(raw.logical_id, {}).get("UpdateReplacePolicy"), replace=True)
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


_POINTER = re.compile(r"^/(?P<attribute>[A-Za-z]+)(?P<path>/.*)?$")


def dotted(pointer: str, name: str) -> str:
    """CloudFormation's path ("/Properties/Tags/0/Value") as ours ("Tags[0].Value"); the name where there is no path."""
    match = _POINTER.match(pointer)
    if not match or not match["path"]:
        return name
    found = ""
    for part in match["path"].strip("/").split("/"):
        found += f"[{part}]" if part.isdigit() and found else f".{part}" if found else part
    return found


def _under(path: str, top: str) -> bool:
    return not top or path == top or path.startswith((f"{top}.", f"{top}["))


def _properties(raw: RawChange, by_template: ResourceChange | None, context: Context) -> tuple[PropertyChange, ...]:
    templates = by_template.properties if by_template and by_template.action == "modify" else ()
    found: dict[tuple[str, str], PropertyChange] = {}
    for detail in raw.details:
        path = dotted(detail.path, detail.name)
        attribute = detail.attribute or "Properties"
        related = [t for t in templates if t.attribute == attribute and (_under(t.path, path) or _under(path, t.path))]
        secret = _has_secret(raw.logical_id, attribute, path, context)
        if (detail.before is None and detail.after is None) or secret or any(isinstance(t.after, Unknown) for t in related):
            given = [msgspec.structs.replace(t, recreation=_stronger(t.recreation, detail)) for t in related]
            given = given or [_from_detail(detail, path, context, hide=secret)]
        else:
            given = [_from_detail(detail, path, context)]
        for change in given:
            known = found.get((change.attribute, change.path))
            causes = (known.because_of if known else ()) + _cause(detail)
            found[change.attribute, change.path] = msgspec.structs.replace(known or change, because_of=tuple(dict.fromkeys(causes)))
    for change in templates:
        if not any(a == change.attribute and (_under(change.path, p) or _under(p, change.path)) for a, p in found):
            found[change.attribute, change.path] = change
    return tuple(found[key] for key in sorted(found, key=lambda k: (k[0] != "Properties", k)))


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


# --- replacement --------------------------------------------------------------------------------------------------


def _replacement(raw: RawChange, properties: tuple[PropertyChange, ...], schema: Schema | None) -> Replacement:
    because = tuple(p.path for p in properties if p.recreation == "always")
    if raw.replacement == "True":
        return Replacement(verdict="yes", because=because)
    if raw.replacement == "Conditional":
        return settled(properties, schema, by="schema")
    return Replacement(verdict="no")


def settled(properties: Iterable[PropertyChange], schema: Schema | None, *, by: Literal["cloudformation", "schema"]) -> Replacement:
    """Replacement by the schema: certain if a create-only property surely changes, open if one may change, else none."""
    always: list[str] = []
    perhaps: list[str] = []
    for change in properties:
        if change.attribute != "Properties":
            continue
        said = change.recreation
        if schema is not None and said == "conditionally" and change.path:
            said = schema.recreation(change.path)
        if said == "always" and _surely_differs(change):
            always.append(change.path)
        elif said in ("always", "conditionally"):
            perhaps.append(change.path)
    if always:
        return Replacement(verdict="yes", by=by, because=tuple(always))
    if perhaps:
        return Replacement(verdict="maybe", by="cloudformation" if schema is None else by, because=tuple(perhaps))
    return Replacement(verdict="no", by=by)


def _surely_differs(change: PropertyChange) -> bool:
    """The value is another one: known on both sides and different, or there on one side only. A value still to come may be the same."""
    if change.before is None and change.after is None:
        return False
    return not isinstance(change.after, (Unknown, Redacted)) and change.before != change.after


def _settle_causes(changes: tuple[ResourceChange, ...], context: Context) -> tuple[ResourceChange, ...]:
    """Follow references among the resources until nothing moves: who is certainly replaced changes what refers to it; who is certainly not
    keeps its Ref and its identifying attributes, so a replacement that only depends on those does not happen."""
    by_id = {c.logical_id: c for c in changes}
    for _ in range(len(changes) + 1):
        moved = False
        for logical_id, change in by_id.items():
            if change.action != "modify" or change.replacement.verdict != "maybe":
                continue
            open_ones = [p for p in change.properties if p.path in change.replacement.because]
            verdicts = [_cause_verdict(p, by_id, context) for p in open_ones]
            if verdicts and all(v is False for v in verdicts):
                by_id[logical_id] = msgspec.structs.replace(change, replacement=Replacement(verdict="no", by="schema"), policy_action=None)
                moved = True
        if not moved:
            break
    return tuple(by_id[c.logical_id] for c in changes)


def _cause_verdict(change: PropertyChange, by_id: Mapping[str, ResourceChange], context: Context) -> bool | None:
    """False: every cause keeps its value. None: cannot be told."""
    if change.before is not None or change.after is not None or not change.because_of:
        return None
    for cause in change.because_of:
        word, _, entity = cause.partition(" ")
        logical_id, _, attribute = entity.partition(".")
        if word != "resource" or not keeps_value((logical_id, attribute), by_id, context):
            return None
    return False


def keeps_value(reference: tuple[str, str], by_id: Mapping[str, ResourceChange], context: Context) -> bool:
    """Whether Ref (attribute "") or Fn::GetAtt of a resource surely has the value that it had before."""
    logical_id, attribute = reference
    if logical_id not in context.before:
        return False
    change = by_id.get(logical_id)
    if change is None:
        return True
    if change.action not in ("modify", "sync") or change.replacement.verdict != "no":
        return False
    if not attribute:
        return True
    schema = context.schemas.of(change.resource_type, context.region)
    return schema is not None and schema.keeps(attribute)


# --- outputs ------------------------------------------------------------------------------------------------------


def output_after(expression: Any, live: str | None, old_expression: Any, changes: Iterable[ResourceChange], context: Context) -> str | None:
    """The value that an output will surely have; None if only the execution can tell."""
    if not unresolved(expression):
        return None if marked(expression) else text_of(expression)
    if live is None or not same(expression, old_expression) or marked(expression):
        return None
    by_id = {c.logical_id: c for c in changes}
    refs = references(expression)
    return live if refs and all(keeps_value(ref, by_id, context) for ref in refs) else None


# --- approved and real --------------------------------------------------------------------------------------------


def differences(approved: Iterable[ResourceChange], real: Iterable[ResourceChange]) -> tuple[str, ...]:
    """What the real changes do that the approved ones did not say, or the other way round; empty if they agree but for the stand-ins.

    Same means: the same resources with the same action, the same properties, values that agree where both are known, and no replacement or
    deletion that was not approved (a "maybe" that turned out as "no" is fine; one that turned out as "yes" was announced, and is fine too).
    """
    old, new = ({c.logical_id: c for c in side} for side in (approved, real))
    found: list[str] = []
    for logical_id in sorted({*old, *new}):
        was, now = old.get(logical_id), new.get(logical_id)
        if now is None:
            if was is not None and not _hung_on_stand_in(was):
                found.append(f"{logical_id}: was to {_verb(was)}, and now is not touched")
        elif was is None:
            found.append(f"{logical_id}: would {_verb(now)}, which was not in the approved plan")
        else:
            found += _resource_differences(was, now)
    return tuple(found)


def _verb(change: ResourceChange) -> str:
    replaced = change.action == "modify" and change.replacement.verdict == "yes"
    return (
        "be replaced"
        if replaced
        else {"add": "be added", "modify": "be modified", "remove": "be removed"}.get(change.action, change.action)
    )


def _hung_on_stand_in(change: ResourceChange) -> bool:
    """A modification of which every property waits for an unknown: the real value may turn out to be what is there already."""
    return change.action == "modify" and bool(change.properties) and all(isinstance(p.after, Unknown) for p in change.properties)


def _resource_differences(was: ResourceChange, now: ResourceChange) -> Iterator[str]:
    name = was.logical_id
    if was.action != now.action:
        yield f"{name}: would {_verb(now)}, approved was that it {_verb(was)}"
        return
    if was.resource_type != now.resource_type:
        yield f"{name}: is a {now.resource_type}, approved was a {was.resource_type}"
    if now.replacement.verdict != "no" and was.replacement.verdict == "no":
        yield f"{name}: would be replaced because of {', '.join(now.replacement.because) or 'its changes'}, which was not announced"
    if now.loses_data and not was.loses_data:
        yield f"{name}: would lose its data ({now.policy_action or 'deleted'}), which was not announced"
    before, after = ({(p.attribute, p.path): p for p in side.properties} for side in (was, now))
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        label = f"{name}.{key[1] or key[0]}"
        if new is None:
            if old is not None and not isinstance(old.after, Unknown):
                yield f"{label}: was to change, and now does not"
        elif old is None:
            if not any(isinstance(p.after, Unknown) and _under(key[1], p.path) for p in was.properties):
                yield f"{label}: changes, which was not in the approved plan"
        elif not agrees(old.after, new.after):
            yield f"{label}: becomes {_quoted(new.after)}, approved was {_quoted(old.after)}"


def _quoted(value: Value | None) -> str:
    return "nothing" if value is None else "(hidden)" if isinstance(value, Redacted) else repr(value.text)


def agrees(approved: Value | None, real: Value | None) -> bool:
    """Whether a real value is the approved one but for the stand-ins in it."""
    if isinstance(approved, Unknown):
        if real is None or isinstance(real, Redacted):
            return False
        parts = re.split(r"\{known after [^{}]+\}", approved.text)
        return re.fullmatch(".*".join(re.escape(p) for p in parts), real.text, re.DOTALL) is not None
    return approved == real
