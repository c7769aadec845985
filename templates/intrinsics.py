"""Templates with their parameters filled in, as far as that can be known without AWS.

In: a template, parameter values, the pseudo parameters. Out: each resource's resolved body, each output's resolved value; what only
CloudFormation can know (Ref and Fn::GetAtt of a resource, ImportValue) stays as it is written.
Never: raises for an odd template (what cannot be resolved is left alone), or shows a secret.

A parameter value that is secret or not known yet goes through as a *mark*, a string that survives Fn::Sub, Join, Split and Select;
`value_of` turns a text with marks into `Redacted` or `Unknown`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from templates.values import Known, Redacted, Unknown, Value

_EDGE = "\x1f"
_MARK = re.compile(_EDGE + r"(after|secret):([^\x1f]*)" + _EDGE)
HIDDEN = "(hidden)"


def after_mark(reference: str) -> str:
    """The mark of an output ("STACK.OUTPUT") that is not known yet."""
    return f"{_EDGE}after:{reference}{_EDGE}"


def secret_mark(name: str, generation: str) -> str:
    """The mark of a secret parameter; two generations of it are different values."""
    return f"{_EDGE}secret:{name}:{generation}{_EDGE}"


def known_after(reference: str) -> str:
    """How an output that is not known yet reads: "{known after certificate.CertificateArn}"."""
    return "{known after " + reference + "}"


def marked(value: Any) -> bool:
    """Whether a mark is anywhere in the value."""
    if isinstance(value, Mapping):
        return any(marked(v) for v in (*value.keys(), *value.values()))
    return any(marked(v) for v in value) if isinstance(value, list) else isinstance(value, str) and _EDGE in value


def holds_secret(value: Any) -> bool:
    """Whether the mark of a secret is anywhere in the value."""
    if isinstance(value, Mapping):
        return any(holds_secret(v) for v in (*value.keys(), *value.values()))
    return any(holds_secret(v) for v in value) if isinstance(value, list) else isinstance(value, str) and f"{_EDGE}secret:" in value


def text_of(value: Any) -> str:
    """A string as it is; a boolean or number as CloudFormation writes it; a structure as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(", ", ": "))


def shorthand(value: Any) -> Any:
    """References written as Fn::Sub has them ("${Bucket.Arn}"), which is what people read; other functions stay as they are."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            key, inner = next(iter(value.items()))
            if key == "Ref" and isinstance(inner, str):
                return "${" + inner + "}"
            if key == "Fn::GetAtt":
                return "${" + ".".join(part for part in _get_att(inner) if part) + "}"
            if key == "Fn::Sub" and isinstance(inner, str):
                return inner
            if key == "Fn::Sub" and isinstance(inner, list) and len(inner) == 2 and isinstance(inner[1], Mapping):
                own = {name: shorthand(part) for name, part in inner[1].items()}
                return _SUB.sub(lambda m: own[m[1]] if isinstance(own.get(m[1]), str) else m[0], str(inner[0]))
        return {k: shorthand(v) for k, v in value.items()}
    return [shorthand(v) for v in value] if isinstance(value, list) else value


def value_of(value: Any) -> Value:
    """The value to show: marks become `Redacted`, `Unknown`, or "(hidden)" where a secret is only a part of a longer text."""
    value = shorthand(value)
    text = text_of(value)
    if isinstance(value, (dict, list)):
        text = text.replace("\\u001f", _EDGE)
    after = tuple(dict.fromkeys(m[2] for m in _MARK.finditer(text) if m[1] == "after"))
    whole = _MARK.fullmatch(text)
    if whole and whole[1] == "secret":
        return Redacted()
    shown = _MARK.sub(lambda m: known_after(m[2]) if m[1] == "after" else HIDDEN, text)
    return Unknown(text=shown, after=after) if after else Known(text=shown)


@dataclass(frozen=True)
class Scope:
    """What a template is resolved with."""

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    """By name; a parameter left out takes its default."""
    account_id: str
    region: str
    stack_name: str
    _conditions: dict[str, bool | None] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        """By region name, as AWS names them."""
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def pseudo(self, name: str) -> str | None:
        """A pseudo parameter; None for those that only CloudFormation knows."""
        return {
            "AWS::AccountId": self.account_id,
            "AWS::Region": self.region,
            "AWS::StackName": self.stack_name,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }.get(name)

    def parameter(self, name: str) -> Any:
        """The value of a parameter: a list for list types; None if there is none, or only CloudFormation can look it up."""
        declared = self.template.get("Parameters", {}).get(name)
        if not isinstance(declared, Mapping):
            return None
        value = self.parameters.get(name, declared.get("Default"))
        if value is None:
            return None
        kind = str(declared.get("Type", "String"))
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            return None  # The value names a parameter of Systems Manager, whose own value CloudFormation looks up.
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [part.strip() for part in str(value).split(",")]
        return text_of(value)

    def condition(self, name: str) -> bool | None:
        """The truth of a condition; None if it cannot be told."""
        if name not in self._conditions:
            self._conditions[name] = None
            self._conditions[name] = _truth(self.template.get("Conditions", {}).get(name), self)
        return self._conditions[name]


def resolved_resources(scope: Scope) -> dict[str, dict[str, Any]]:
    """Every resource that the template would have, resolved: by logical id, with Type, Properties and the other attributes."""
    found: dict[str, dict[str, Any]] = {}
    for logical_id, body in scope.template.get("Resources", {}).items():
        if not isinstance(body, Mapping) or scope.condition(body.get("Condition", "")) is False:
            continue
        found[logical_id] = {k: resolve(v, scope) for k, v in body.items() if k not in ("Condition", "DependsOn")}
    return found


def resolved_outputs(scope: Scope) -> dict[str, Any]:
    """The value of every output that the template would have, resolved."""
    return {
        name: resolve(body.get("Value"), scope)
        for name, body in scope.template.get("Outputs", {}).items()
        if isinstance(body, Mapping) and scope.condition(body.get("Condition", "")) is not False
    }


def references(value: Any) -> frozenset[tuple[str, str]]:
    """(logical id, attribute) of every Ref (attribute "") and Fn::GetAtt left in a resolved value, those inside Fn::Sub included."""
    found: set[tuple[str, str]] = set()
    if isinstance(value, Mapping):
        if len(value) == 1:
            key, inner = next(iter(value.items()))
            if key == "Ref" and isinstance(inner, str):
                return frozenset({(inner, "")})
            if key == "Fn::GetAtt":
                return frozenset({_get_att(inner)})
            if key == "Fn::Sub":
                text, own = (inner[0], inner[1]) if isinstance(inner, list) and len(inner) == 2 else (inner, {})
                for name in _SUB.findall(text) if isinstance(text, str) else ():
                    if not isinstance(own, Mapping) or name not in own:
                        logical_id, _, attribute = name.partition(".")
                        found.add((logical_id, attribute))
        for inner in value.values():
            found |= references(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= references(inner)
    return frozenset(found)


def unresolved(value: Any) -> bool:
    """Whether an intrinsic function is left in a resolved value."""
    if isinstance(value, Mapping):
        return (len(value) == 1 and _is_intrinsic(next(iter(value)))) or any(unresolved(v) for v in value.values())
    return isinstance(value, list) and any(unresolved(v) for v in value)


class _NoValue:
    pass


_NO_VALUE = _NoValue()
_SUB = re.compile(r"\$\{([^!][^}]*)\}")
_SUB_OR_LITERAL = re.compile(r"\$\{([^}]*)\}")


def resolve(value: Any, scope: Scope) -> Any:
    """The value with every intrinsic function that can be computed computed. AWS::NoValue takes its key or item away."""
    found = _resolve(value, scope)
    return None if found is _NO_VALUE else found


def _resolve(value: Any, scope: Scope) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1:
            key, inner = next(iter(value.items()))
            if _is_intrinsic(key):
                return _intrinsic(key, inner, scope)
        pairs = ((k, _resolve(v, scope)) for k, v in value.items())
        return {k: v for k, v in pairs if v is not _NO_VALUE}
    if isinstance(value, list):
        return [v for v in (_resolve(v, scope) for v in value) if v is not _NO_VALUE]
    return value


def _is_intrinsic(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def _get_att(inner: Any) -> tuple[str, str]:
    if isinstance(inner, str):
        logical_id, _, attribute = inner.partition(".")
        return logical_id, attribute
    parts = [text_of(part) for part in inner] if isinstance(inner, list) else []
    return (parts[0], ".".join(parts[1:])) if parts else ("", "")


def _intrinsic(key: str, inner: Any, scope: Scope) -> Any:
    if key == "Ref" and isinstance(inner, str):
        if inner == "AWS::NoValue":
            return _NO_VALUE
        found = scope.pseudo(inner)
        found = scope.parameter(inner) if found is None else found
        return {"Ref": inner} if found is None else found
    if key == "Fn::GetAtt":
        logical_id, attribute = _get_att(inner)
        return {"Fn::GetAtt": [logical_id, attribute]}
    if key == "Fn::If" and isinstance(inner, list) and len(inner) == 3:
        truth = scope.condition(str(inner[0]))
        return {key: [inner[0], *(resolve(v, scope) for v in inner[1:])]} if truth is None else _resolve(inner[1 if truth else 2], scope)
    if key == "Fn::Sub":
        return _sub(inner, scope)
    arguments = _resolve(inner, scope)
    computed = _computed(key, arguments, scope)
    return {key: arguments} if computed is None else computed


def _computed(key: str, arguments: Any, scope: Scope) -> Any:  # noqa: PLR0911
    match key, arguments:
        case "Fn::Join", [str(delimiter), list(parts)] if all(isinstance(p, (str, int, float)) for p in parts):
            return delimiter.join(text_of(p) for p in parts)
        case "Fn::Split", [str(), str(text)] if _MARK.fullmatch(text):
            return [text] * 32
        case "Fn::Split", [str(delimiter), str(text)] if delimiter and not marked(text):
            return text.split(delimiter)
        case "Fn::Select", [index, list(parts)] if str(index).isdecimal() and int(index) < len(parts):
            return parts[int(index)]
        case "Fn::FindInMap", [str(a), str(b), str(c)]:
            return scope.template.get("Mappings", {}).get(a, {}).get(b, {}).get(c)
        case "Fn::Base64", str(text) if not marked(text):
            return base64.b64encode(text.encode()).decode()
        case _:
            return None


def _sub(inner: Any, scope: Scope) -> Any:
    text, own = (inner[0], inner[1]) if isinstance(inner, list) and len(inner) == 2 else (inner, {})
    if not isinstance(text, str) or not isinstance(own, Mapping):
        return {"Fn::Sub": inner}
    local = {name: _resolve(value, scope) for name, value in own.items()}
    left: dict[str, Any] = {}

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("!"):
            return match[0]
        if name in local:
            found = local[name]
            if not isinstance(found, (str, int, float)):
                left[name] = found
                return match[0]
            return text_of(found)
        value = scope.pseudo(name)
        value = scope.parameter(name) if value is None else value
        if value is None or isinstance(value, list):
            left[name] = None
            return match[0]
        return text_of(value)

    done = _SUB_OR_LITERAL.sub(one, text)
    if not left:
        return re.sub(r"\$\{!([^}]*)\}", r"${\1}", done)
    kept = {name: value for name, value in left.items() if value is not None}
    return {"Fn::Sub": [done, kept]} if kept else {"Fn::Sub": done}


def _truth(condition: Any, scope: Scope) -> bool | None:  # noqa: PLR0911
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    key, inner = next(iter(condition.items()))
    if key == "Condition":
        return scope.condition(str(inner))
    if key == "Fn::Equals" and isinstance(inner, list) and len(inner) == 2:
        left, right = (resolve(v, scope) for v in inner)
        return None if any(unresolved(v) or marked(v) for v in (left, right)) else text_of(left) == text_of(right)
    parts = [_truth(part, scope) for part in inner] if isinstance(inner, list) else []
    if key == "Fn::Not" and len(parts) == 1:
        return None if parts[0] is None else not parts[0]
    if key == "Fn::And":
        return False if False in parts else None if None in parts else True
    if key == "Fn::Or":
        return True if True in parts else None if None in parts else False
    return None
