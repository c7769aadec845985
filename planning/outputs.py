"""The outputs of a stack that changes, as far as they can be told before it is executed.

In: the outputs of the live stack, the outputs of both templates, the changes of the resources. Out: values, `OutputChange`.
Never: shows an output that has a NoEcho parameter in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from changes.causes import keeps_value
from changes.context import Context
from changes.model import ResourceChange
from changes.structure import same
from planning.inputs import Produced
from planning.model import OutputChange
from templates.intrinsics import holds_secret, marked, references, text_of, unresolved, value_of
from templates.values import Known, Redacted, Value


def hidden(*sides: Mapping[str, Any]) -> frozenset[str]:
    """Names of the outputs that would show a NoEcho parameter."""
    return frozenset(name for side in sides for name, value in side.items() if holds_secret(value))


def output_after(expression: Any, live: str | None, old_expression: Any, changes: Iterable[ResourceChange], context: Context) -> str | None:
    """The value that an output will surely have; None if only the execution can tell."""
    if not unresolved(expression):
        return None if marked(expression) else text_of(expression)
    if not same(expression, old_expression) or marked(expression):
        return None
    by_id = {c.logical_id: c for c in changes}
    refs = references(expression)
    return live if refs and all(keeps_value(ref, by_id, context) for ref in refs) else None


def changes(
    live: Mapping[str, str], produced: Produced, secrets: Iterable[str], resources: Iterable[ResourceChange]
) -> tuple[OutputChange, ...]:
    """What becomes of each output; an output with one of the `secrets` in it is not shown."""
    new = {each.logical_id for each in resources if each.action == "add" or each.replacement.verdict == "yes"}

    def shown(name: str, text: str) -> Value:
        return Redacted() if name in produced.hidden or any(secret in text for secret in secrets) else Known(text=text)

    found = []
    for name in sorted({*live, *produced.outputs}):
        before = None if name not in live else shown(name, live[name])
        if name not in produced.outputs:
            found.append(OutputChange(name=name, change="remove", before=before))
            continue
        value = produced.outputs[name]
        if before is None:
            found.append(OutputChange(name=name, change="add", after=None if value is None else shown(name, value)))
        elif value is None:
            expression = produced.expressions[name]
            after = Redacted() if name in produced.hidden else value_of(expression)
            # Another resource has another physical id, which is what Ref gives.
            surely = isinstance(expression, Mapping) and expression.get("Ref") in new
            found.append(OutputChange(name=name, change="modify" if surely else "maybe", before=before, after=after))
        elif value != live[name]:
            found.append(OutputChange(name=name, change="modify", before=before, after=shown(name, value)))
    return tuple(found)
