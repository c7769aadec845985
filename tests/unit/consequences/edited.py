"""What an edit of an environment file means, told from the templates that it builds."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from assembly.model import Stack
from changes.by_template import all_from_templates
from changes.context import Context, Resources
from consequences.model import Consequences
from consequences.told import Told, consequences
from environments.model import Environment
from stacks.synthesis import synthesise
from templates.intrinsics import Scope, after_mark, resolved_resources
from templates.schemas import bundled
from tests import edits

ACCOUNT = "500000000001"


def file_of(**changes: Any) -> edits.Values:
    """The file with keys ("a.b" as a__b) edited."""
    values = edits.base(ACCOUNT)
    for name, value in changes.items():
        values = edits.edited(values, tuple(name.split("__")), value, ACCOUNT)
    return values


@cache
def _built(text: str) -> dict[str, tuple[Stack, Resources]]:
    environment = edits.described(json.loads(text))
    assert isinstance(environment, Environment), environment
    made = synthesise(environment)
    return {stack.id: (stack, _resolved(stack, json.loads(made.templates[stack.id]))) for stack in made.assembly.stacks}


def _resolved(stack: Stack, template: dict[str, Any]) -> Resources:
    parameters = {name: after_mark(name) for name in template.get("Parameters", {})}
    scope = Scope(template=template, parameters=parameters, account_id=stack.account_id, region=stack.region, stack_name=stack.stack_name)
    return resolved_resources(scope)


def meaning(before: edits.Values | None, after: edits.Values) -> Consequences:
    """Of going from one file to the other; None: nothing is deployed yet."""
    old = {} if before is None else _built(json.dumps(before, sort_keys=True))
    told = []
    for stack_id, (stack, resources) in _built(json.dumps(after, sort_keys=True)).items():
        was = old[stack_id][1] if stack_id in old else {}
        context = Context(before=was, after=resources, schemas=bundled(), region=stack.region)
        changes = all_from_templates(context)
        operation = "none" if not changes else "update" if was else "create"
        told.append(Told(stack=stack_id, operation=operation, depends_on=stack.depends_on, changes=changes, before=was, after=resources))
    return consequences(told, {})
