# mypy: allow-untyped-calls
"""A stack's tags on what it imports: the only thing that an import changes of a resource.

In: the phase of an import in which CloudFormation tags, told by its events. Out: the stack's own tags and the three aws:cloudformation:
ones on the live resource, and gone again when the import is rolled back.
Never: touches a tag that the resource has by another key.

Source: events of an import, "Apply stack-level tags to imported resource if applicable", "Remove stack-level tags from imported resource if
applicable"; CloudFormation user guide, "Resource tag".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import acm, cloudfront, cloudwatch, dynamodb, iam, lambda_svc, s3, secretsmanager, sns
from ministack.services import cloudformation as service
from ministack.services import cloudwatch_logs as logs
from ministack.services.cloudformation import changesets, stacks

Tags = dict[str, str]


@dataclass(frozen=True)
class Tagged:
    """Where the tags of a type's resources are kept, by physical id."""

    read: Callable[[str], Tags]
    write: Callable[[str, Tags], None]


def _kept(store: Callable[[], Any], key: Callable[[str], str], name: str | None = None, *, listed: bool) -> Tagged:
    """Tags in a store of their own, or (`name`) in a store's record of the resource; as a list of Key and Value, or as a mapping."""

    def read(physical_id: str) -> Tags:
        held = store().get(key(physical_id))
        held = (held or {}).get(name) if name is not None else held
        return {each["Key"]: each["Value"] for each in held or []} if listed else dict(held or {})

    def write(physical_id: str, tags: Tags) -> None:
        kept = [{"Key": each, "Value": value} for each, value in tags.items()] if listed else tags
        if name is None:
            store()[key(physical_id)] = kept
        elif key(physical_id) in store():
            store()[key(physical_id)][name] = kept

    return Tagged(read, write)


_listed, _mapped = partial(_kept, listed=True), partial(_kept, listed=False)


def _itself(physical_id: str) -> str:
    return physical_id


def _alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"


STORES: Mapping[str, Tagged] = {
    "AWS::CertificateManager::Certificate": _listed(lambda: acm._certificates, _itself, "Tags"),
    "AWS::CloudFront::Distribution": _listed(
        lambda: cloudfront._tags, lambda name: f"arn:aws:cloudfront::{get_account_id()}:distribution/{name}"
    ),
    "AWS::CloudWatch::Alarm": _mapped(lambda: cloudwatch._resource_tags, _alarm_arn),
    "AWS::DynamoDB::Table": _listed(
        lambda: dynamodb._tags, lambda name: f"arn:aws:dynamodb:{get_region()}:{get_account_id()}:table/{name}"
    ),
    "AWS::IAM::Role": _listed(lambda: iam._roles, _itself, "Tags"),
    "AWS::Lambda::Function": _mapped(lambda: lambda_svc._functions, _itself, "tags"),
    "AWS::Logs::LogGroup": _mapped(lambda: logs._log_groups, _itself, "tags"),
    "AWS::S3::Bucket": _mapped(lambda: s3._bucket_tags, _itself),
    "AWS::SNS::Topic": _mapped(lambda: sns._topics, _itself, "tags"),
    "AWS::SecretsManager::Secret": _listed(lambda: secretsmanager._secrets, _itself, "Tags"),
}
"""The types of the platform that MiniStack gives a stack's tags when it makes them."""


def install() -> None:
    """Act when the engine tells that it tags."""
    for module in (changesets, stacks):
        _tag_at_events(module)


def _tag_at_events(module: Any) -> None:
    add = module._add_event

    def added(stack_id: str, stack_name: str, logical_id: str, kind: str, status: str, *more: Any, **named: Any) -> None:
        add(stack_id, stack_name, logical_id, kind, status, *more, **named)
        reason, physical_id = (*more, "", "")[:2]
        if status == "UPDATE_IN_PROGRESS" and reason in (stacks._IMPORT_TAGS, stacks._IMPORT_UNTAG) and kind in STORES:
            stack = service._stacks.get(stack_name) or {}
            _write(kind, physical_id, _of_stack(stack, logical_id), there=reason == stacks._IMPORT_TAGS)

    module._add_event = added


def _of_stack(stack: Mapping[str, Any], logical_id: str) -> Tags:
    given: Iterable[Mapping[str, str]] = stack.get("Tags") or []
    own = {"stack-name": stack.get("StackName", ""), "stack-id": stack.get("StackId", ""), "logical-id": logical_id}
    return {each["Key"]: each["Value"] for each in given} | {f"aws:cloudformation:{key}": value for key, value in own.items()}


def _write(kind: str, physical_id: str, tags: Tags, *, there: bool) -> None:
    store = STORES[kind]
    now = store.read(physical_id)
    # A key of the resource's own wins, as one of the template's does.
    after = {**tags, **now} | {key: value for key, value in tags.items() if key.startswith("aws:")}
    store.write(physical_id, after if there else {key: value for key, value in now.items() if tags.get(key) != value})
