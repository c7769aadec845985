"""DynamoDB: items with conditional writes, as a lock table needs them.

In: items of text, numbers and truth values, and what must hold for a write.
Out: the item that stands in the way, or None if the write was made. That item may be the caller's own: botocore repeats a write whose
answer was lost, and the second one finds the first. So an item carries an id of its writer's.
Never: reads an item that is not strongly consistent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import field

from aws.answers import Answer, read, unexpected
from aws.errors import Conflict
from aws.gateway import Regional

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Scalar = str | int | bool
Item = dict[str, Scalar]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a write needs: any of these is enough."""

    absent: str | None = None
    """No item with that (key) attribute."""
    equal: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)
    """All these attributes have these values."""
    below: tuple[str, int] | None = None
    """That number attribute is less than the number: an expiry that has passed."""


class _Attribute(Answer, frozen=True, kw_only=True):
    s: str | None = None
    n: str | None = None
    truth: bool | None = field(name="BOOL", default=None)


class _Answer(Answer, frozen=True, kw_only=True):
    item: dict[str, _Attribute] = field(default_factory=dict)


class Items(Regional):
    """The tables of one account and region."""

    client: DynamoDBClient
    service = "dynamodb"

    def get(self, table: str, key: Mapping[str, Scalar]) -> Item | None:
        """The item as of now. `NotFound` if there is no such table."""
        return _decoded(self.client.get_item(TableName=table, Key=_encoded(key), ConsistentRead=True)) or None

    def put(self, table: str, item: Mapping[str, Scalar], condition: Condition) -> Item | None:
        """Write the whole item if the condition holds."""
        # The key of the item is the attribute whose absence is asked for.
        key = {condition.absent: item[condition.absent]} if condition.absent else {}
        return self._conditional(self.client.put_item, table, key, {"TableName": table, "Item": _encoded(item), **_expression(condition)})

    def update(self, table: str, key: Mapping[str, Scalar], changes: Mapping[str, Scalar], condition: Condition) -> Item | None:
        """Set attributes of an item if the condition holds."""
        request = _expression(condition)
        names, values = request.setdefault("ExpressionAttributeNames", {}), request.setdefault("ExpressionAttributeValues", {})
        parts = []
        for number, (name, value) in enumerate(changes.items()):
            names[f"#s{number}"], values[f":s{number}"] = name, _attribute(value)
            parts.append(f"#s{number} = :s{number}")
        request |= {"TableName": table, "Key": _encoded(key), "UpdateExpression": "SET " + ", ".join(parts)}
        return self._conditional(self.client.update_item, table, key, request)

    def delete(self, table: str, key: Mapping[str, Scalar], condition: Condition) -> Item | None:
        """Remove an item if the condition holds."""
        return self._conditional(self.client.delete_item, table, key, {"TableName": table, "Key": _encoded(key), **_expression(condition)})

    def _conditional(self, write: Any, table: str, key: Mapping[str, Scalar], request: dict[str, Any]) -> Item | None:
        try:
            write(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except Conflict as conflict:
            if conflict.code != "ConditionalCheckFailedException":
                raise
            return _decoded(getattr(conflict.__cause__, "response", {})) or self.get(table, key) or dict(key)
        return None


def _expression(condition: Condition) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    choices = []
    if condition.absent is not None:
        names["#a"] = condition.absent
        choices.append("attribute_not_exists(#a)")
    if condition.equal:
        parts = []
        for number, (name, value) in enumerate(condition.equal.items()):
            names[f"#e{number}"], values[f":e{number}"] = name, _attribute(value)
            parts.append(f"#e{number} = :e{number}")
        choices.append("(" + " AND ".join(parts) + ")")
    if condition.below is not None:
        names["#b"], values[":b"] = condition.below[0], _attribute(condition.below[1])
        choices.append("#b < :b")
    request: dict[str, Any] = {"ConditionExpression": " OR ".join(choices), "ExpressionAttributeNames": names}
    return request | ({"ExpressionAttributeValues": values} if values else {})


def _attribute(value: Scalar) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _encoded(item: Mapping[str, Scalar]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in item.items()}


def _decoded(answer: Any) -> Item:
    """The item of an answer, empty if there is none. Attributes of other kinds, which nobody here writes, are left out."""
    decoded: Item = {}
    for name, attribute in read(answer, _Answer).item.items():
        if attribute.s is not None:
            decoded[name] = attribute.s
        elif attribute.n is not None:
            try:
                decoded[name] = int(float(attribute.n))
            except (ValueError, OverflowError) as problem:
                raise unexpected(answer, f"{attribute.n} is no number in Item.{name}") from problem
        elif attribute.truth is not None:
            decoded[name] = attribute.truth
    return decoded
