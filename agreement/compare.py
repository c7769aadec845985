"""Is what CloudFormation would do now what was approved?

In: the approved plan of a stack, and the plan made just now with the real values. Out: the differences, one line each; empty if it may run.
Never: lets a placeholder value excuse anything but the value that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from changes.causes import under
from changes.model import PropertyChange, ResourceChange, Widening
from planning.model import AnyStackPlan, InstancePlan, ParameterPlan, SettingChange, StackPlan, StackSetPlan
from templates.values import Known, Redacted, Unknown, Value


def unapproved(approved: AnyStackPlan, real: AnyStackPlan) -> tuple[str, ...]:
    """What the real plan of a stack does that was not approved, or leaves out that was.

    The same means: the same operation, resources with the same actions, properties and values but for placeholders, parameters, widened
    policies and settings; for a StackSet the same instances too. Fewer widenings or settings than approved are fine.
    """
    return tuple(_differences(approved, real))


def _differences(approved: AnyStackPlan, real: AnyStackPlan) -> Iterator[str]:
    errors = [f.message for f in real.findings if f.severity == "error"]
    if errors:
        yield from errors
        return
    if (approved.account_id, approved.region, approved.stack_name) != (real.account_id, real.region, real.stack_name):
        yield (
            f"is {real.stack_name} in account {real.account_id}, {real.region}; approved was {approved.stack_name} in account"
            f" {approved.account_id}, {approved.region}"
        )
    if approved.template_sha256 != real.template_sha256:
        yield "the template is another one than the approved"
    if real.operation not in ("none", "settings", approved.operation):
        yield f"the operation is {real.operation}, approved was {approved.operation}"
    yield from _parameters(approved.parameters, real.parameters)
    yield from differences(approved.resources, real.resources)
    yield from _widenings(approved.widenings, real.widenings)
    if isinstance(approved, StackPlan) and isinstance(real, StackPlan):
        yield from _settings(approved.settings, real.settings)
        yield from _tags(approved.tags, real.tags)
        yield from (
            f"the record {each.record.get('Name')} {each.record.get('Type')} would be deleted, which was not in the approved plan"
            for each in real.replaces
            # What an earlier try has set aside stands where the approved one did.
            if each not in approved.replaces and each.record not in [one for was in approved.replaces for one in was.beside]
        )
    elif isinstance(approved, StackSetPlan) and isinstance(real, StackSetPlan):
        yield from _instances(approved.instances, real.instances)
        yield from (
            f"the setting {name} changes, which was not in the approved plan"
            for name in real.settings_changed
            if name not in approved.settings_changed
        )
        if approved.preferences != real.preferences:
            yield "the operation preferences are others than the approved"
    else:
        yield "it is a StackSet where a stack was approved, or the other way round"


def _parameters(approved: Iterable[ParameterPlan], real: Iterable[ParameterPlan]) -> Iterator[str]:
    old, new = ({p.name: p for p in side} for side in (approved, real))
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            yield f"the parameter {name} is {'new' if was is None else 'gone'}"
        elif isinstance(now.after, Redacted) and isinstance(was.after, Redacted):
            if was.keeps_previous and not now.keeps_previous:
                yield f"the secret parameter {name} has got another value, and was to keep its own"
        elif not agrees(was.after, now.after):
            yield f"the parameter {name} becomes {_text(now.after)}, approved was {_text(was.after)}"


def _widenings(approved: Iterable[Widening], real: Iterable[Widening]) -> Iterator[str]:
    """By place and kind: the values are compared as properties."""
    known = {(w.logical_id, w.path, w.kind, w.statement, w.grants_everything) for w in approved}
    for now in real:
        if (now.logical_id, now.path, now.kind, now.statement, now.grants_everything) not in known:
            yield (
                f"{now.logical_id}.{now.path}: allows more than was announced ({now.kind.replace('_', ' ')} {now.after})".rstrip(" )") + ")"
            )


def _settings(approved: Iterable[SettingChange], real: Iterable[SettingChange]) -> Iterator[str]:
    known = {(s.setting, s.after) for s in approved}
    return (
        f"{now.setting.replace('_', ' ')} would change, which was not announced" for now in real if (now.setting, now.after) not in known
    )


def _tags(approved: Iterable[PropertyChange], real: Iterable[PropertyChange]) -> Iterator[str]:
    known = {(tag.path, tag.after) for tag in approved}
    return (f"the tag {now.path} of the stack would change, which was not announced" for now in real if (now.path, now.after) not in known)


def _instances(approved: Iterable[InstancePlan], real: Iterable[InstancePlan]) -> Iterator[str]:
    old, new = ({(i.organizational_unit, i.account_id, i.region): i.action for i in side} for side in (approved, real))
    for key in sorted({*old, *new}):
        was, now = old.get(key, "none"), new.get(key, "none")
        if was != now:
            yield f"the instance in {key[1] or key[0]}, {key[2]}: would be {_DONE[now]}, approved was that it is {_DONE[was]}"


_DONE = {"create": "created", "update": "updated", "remove": "removed", "retain": "let go of", "adopt": "adopted", "none": "left alone"}


def _text(value: Value | None) -> str:
    match value:
        case None:
            return "nothing"
        case Known() | Unknown():
            return repr(value.text)
        case Redacted():
            return "(hidden)"


def differences(approved: Iterable[ResourceChange], real: Iterable[ResourceChange]) -> tuple[str, ...]:
    """What the real changes do that the approved ones did not say, or the other way round; empty if they agree but for placeholders.

    Same means: the same resources with the same action, the same properties, values that agree where both are known, and no replacement or
    deletion that was not approved (a "maybe" that turned out as "no" is fine; one that turned out as "yes" was announced, and is fine too).
    """
    old, new = ({c.logical_id: c for c in side if not c.unaffected} for side in (approved, real))
    found: list[str] = []
    for logical_id in sorted({*old, *new}):
        was, now = old.get(logical_id), new.get(logical_id)
        if now is None:
            if was is not None and not _only_waits_for_outputs(was):
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


def _only_waits_for_outputs(change: ResourceChange) -> bool:
    """A modification of which every property waits for an unknown, or only may change: what is there already may turn out to stay."""
    properties = [p for p in change.properties if not p.keeps]
    return change.action == "modify" and bool(properties) and all(isinstance(p.after, Unknown) or p.is_open for p in properties)


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
    before, after = ({(p.attribute, p.path): p for p in side.properties if not p.keeps} for side in (was, now))
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        label = f"{name}.{key[1] or key[0]}"
        if new is None:
            if old is not None and not isinstance(old.after, Unknown) and not (old.is_open and old.because_of):
                yield f"{label}: was to change, and now does not"
        elif old is None:
            if not any(isinstance(p.after, Unknown) and under(key[1], p.path) for p in was.properties):
                yield f"{label}: changes, which was not in the approved plan"
        elif not agrees(old.after, new.after):
            yield f"{label}: becomes {_text(new.after)}, approved was {_text(old.after)}"


def agrees(approved: Value | None, real: Value | None) -> bool:
    """Whether a real value is the approved one but for the placeholder values in it."""
    if isinstance(approved, Unknown):
        if real is None or isinstance(real, Redacted):
            return False
        parts = re.split(r"\{known after [^{}]+\}", approved.text)
        return re.fullmatch(".*".join(re.escape(p) for p in parts), real.text, re.DOTALL) is not None
    return approved == real
