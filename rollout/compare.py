"""Is what CloudFormation would do now what was approved?

In: the approved plan of a stack, and the plan made just now with the real values. Out: the differences, one line each; empty if it may run.
Never: lets a stand-in excuse anything but the value that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planning.changes import agrees, differences
from planning.model import AnyStackPlan, InstancePlan, ParameterPlan, SettingChange, StackPlan, StackSetPlan, Widening
from templates.values import Known, Redacted, Unknown, Value


def unapproved(approved: AnyStackPlan, real: AnyStackPlan) -> tuple[str, ...]:
    """What the real plan of a stack does that was not approved, or leaves out that was.

    The same means: the same operation, resources with the same actions, properties and values but for stand-ins, parameters, widened
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
