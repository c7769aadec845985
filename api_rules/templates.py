"""What CloudFormation refuses in a template before it makes anything of it.

In: the text of a template, the keys of the parameters that are given. Out: CloudFormation's words; "" for what it takes.
Never: looks into properties: an unknown property fails when the resource is made.

Sources: CloudFormation User Guide, "Template anatomy" and the words of refusals in public threads (serverless#4745: unresolved
dependencies; aws-cdk#1361: parameters that do not exist).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from templates.intrinsics import references

_SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Transform", "Parameters", "Rules", "Mappings", "Conditions"}
_SECTIONS |= {"Hooks", "Resources", "Outputs"}
Body = Mapping[str, Any]


def refusal(text: str, given: Iterable[str]) -> str:
    """Of a template and its parameters; what is no JSON is left to MiniStack."""
    try:
        template = json.loads(text)
    except ValueError:
        return ""
    return _anatomy(template) or _dependencies(template) or _parameters(template, given) if isinstance(template, dict) else ""


def _anatomy(template: Body) -> str:
    if unknown := sorted(template.keys() - _SECTIONS):
        return f"Invalid template property or properties [{', '.join(unknown)}]"
    if not template.get("Resources"):
        return "Template format error: At least one Resources member must be defined."
    for name in template["Resources"]:
        if not (name.isascii() and name.isalnum()):
            return f"Template format error: Resource name {name} is non alphanumeric."
    if any(isinstance(output.get("Value"), list) for output in template.get("Outputs", {}).values()):
        return "Template format error: The Value field of every Outputs member must evaluate to a String."
    return ""


def _dependencies(template: Body) -> str:
    resources, parameters = template["Resources"], template.get("Parameters", {})
    needs = {name: _needed(body) for name, body in resources.items()}
    for section, needed in (("Resources", needs.values()), ("Outputs", map(_needed, template.get("Outputs", {}).values()))):
        unknown = {each for names in needed for each in names if each not in parameters and "::" not in each} - resources.keys()
        if unknown:
            told = ", ".join(sorted(unknown))
            return f"Template format error: Unresolved resource dependencies [{told}] in the {section} block of the template"
    for name, body in {**resources, **template.get("Outputs", {})}.items():
        condition = body.get("Condition")
        if isinstance(condition, str) and condition not in template.get("Conditions", {}):
            section = "Resources" if name in resources else "Outputs"
            return f"Template format error: Unresolved condition dependency {condition} in the {section} block of the template"
    try:
        TopologicalSorter({name: each & resources.keys() for name, each in needs.items()}).prepare()
    except CycleError as error:
        return f"Circular dependency between resources: [{', '.join(error.args[1][:-1])}]"
    return ""


def _needed(body: Body) -> set[str]:
    """Logical ids that a resource or an output refers to; metadata refers to nothing."""
    before = body.get("DependsOn", [])
    return {name for name, _ in references([body.get("Properties"), body.get("Value"), body.get("Export")])} | {
        *([before] if isinstance(before, str) else before)
    }


def _parameters(template: Body, given: Iterable[str]) -> str:
    unknown = [name for name in given if name not in template.get("Parameters", {})]
    return f"Parameters: [{', '.join(unknown)}] do not exist in the template" if unknown else ""
