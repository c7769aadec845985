"""References to what is taken over, replaced by what they give: it exists, so they are known before the stack has it.

In: a template, the resources as they are. Out: the template in which no Ref, Fn::GetAtt or Fn::Sub of those is left, where the attribute
is known. Never: touches a reference to anything else, or text that Fn::Sub leaves as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from takeover.model import Live
from templates.intrinsics import text_of

_REFERENCE = re.compile(r"\$\{([^!][^}]*)\}")


def substituted(template: Mapping[str, Any], known: Mapping[str, Live]) -> dict[str, Any]:
    """The template with its resources' and outputs' references to `known` (by logical id) filled in."""
    values = {
        name: value
        for logical_id, live in known.items()
        for name, value in {logical_id: live.ref, **{f"{logical_id}.{a}": v for a, v in live.attributes.items()}}.items()
    }
    return {section: _filled(body, values) if section in ("Resources", "Outputs") else body for section, body in template.items()}


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1:
            name = _name(value)
            if name in values:
                return values[name]
            if "Fn::Sub" in value:
                return {"Fn::Sub": _in_text(value["Fn::Sub"], values)}
        return {key: part if key == "DependsOn" else _filled(part, values) for key, part in value.items()}
    return [_filled(item, values) for item in value] if isinstance(value, list) else value


def _name(function: Mapping[str, Any]) -> str:
    """ "Bucket" or "Bucket.Arn"; empty for any other function."""
    key, inner = next(iter(function.items()))
    if key == "Ref":
        return inner if isinstance(inner, str) else ""
    if key != "Fn::GetAtt":
        return ""
    return inner if isinstance(inner, str) else ".".join(str(part) for part in inner) if isinstance(inner, list) else ""


def _in_text(inner: Any, values: Mapping[str, Any]) -> Any:
    text, own = (inner[0], inner[1]) if isinstance(inner, list) and len(inner) == 2 else (inner, {})
    if not isinstance(text, str) or not isinstance(own, Mapping):
        return inner
    found = _REFERENCE.sub(lambda m: _literal(values[m[1]]) if m[1] in values and m[1] not in own else m[0], text)
    return [found, _filled(own, values)] if isinstance(inner, list) else found


def _literal(value: Any) -> str:
    """A text that Fn::Sub leaves as it is."""
    return text_of(value).replace("${", "${!")
