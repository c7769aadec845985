# mypy: allow-untyped-calls
"""A name that is taken makes a stack fail; what stands may be imported (`resource_import`), and only that.

In: creations of resources that have a name of their own. Out: AlreadyExists in the words of the resource's handler, where MiniStack takes
the resource over in silence; a stack's tags on its buckets; the stack that a physical id belongs to (DescribeStackResources).
Never: a clash with what the same stack already has: an update runs through the type's own update handler.

Sources: CloudFormation user guide, "Import AWS resources into a CloudFormation stack automatically"; provider schemas (primaryIdentifier);
the services' API references for the words (EntityAlreadyExists, ResourceAlreadyExistsException, ...AlreadyExists).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudfront, cloudwatch, dynamodb, iam, s3, sns, waf
from ministack.services import cloudwatch_logs as logs
from ministack.services.cloudformation import _stacks
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS
from ministack.services.cloudformation.helpers import _error, _p

Properties = dict[str, Any]


def _generic(kind: str, name: str) -> str:
    return f"Resource of type '{kind}' with identifier '{name}' already exists."


def _config_names(store: Any, name: str) -> bool:
    return any(name in (each.get("Name"), each.get("Config", {}).get("Name")) for each in store.values())


Taken = Callable[[str, Properties], bool]

CLASHES: dict[str, tuple[tuple[str, ...], Taken, str]] = {
    "AWS::DynamoDB::Table": (("TableName",), lambda name, _: name in dynamodb._tables, ""),
    "AWS::IAM::Role": (
        ("RoleName",),
        lambda name, _: name in iam._roles,
        "Role with name {0} already exists. (Service: Iam, Status Code: 409)",
    ),
    "AWS::IAM::ManagedPolicy": (
        ("ManagedPolicyName",),
        lambda name, props: f"arn:aws:iam::{get_account_id()}:policy{props.get('Path', '/')}{name}" in iam._policies,
        "A policy called {0} already exists. Duplicate names are not allowed. (Service: Iam, Status Code: 409)",
    ),
    "AWS::Logs::LogGroup": (("LogGroupName",), lambda name, _: name in logs._log_groups, ""),
    "AWS::SNS::Topic": (
        ("TopicName",),
        lambda name, _: f"arn:aws:sns:{get_region()}:{get_account_id()}:{name}" in sns._topics,
        "{0} already exists",
    ),
    "AWS::CloudWatch::Alarm": (("AlarmName",), lambda name, _: name in cloudwatch._alarms, "{0} already exists"),
    "AWS::CloudWatch::CompositeAlarm": (("AlarmName",), lambda name, _: name in cloudwatch._composite_alarms, "{0} already exists"),
    "AWS::CloudWatch::Dashboard": (("DashboardName",), lambda name, _: name in cloudwatch._dashboards, ""),
    "AWS::CloudFront::OriginAccessControl": (
        ("OriginAccessControlConfig", "Name"),
        lambda name, _: _config_names(cloudfront._oacs, name),
        "An origin access control with the same name already exists. (OriginAccessControlAlreadyExists)",
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        ("ResponseHeadersPolicyConfig", "Name"),
        lambda name, _: _config_names(cloudfront._response_headers_policies, name),
        "A response headers policy with that name already exists: {0}. (ResponseHeadersPolicyAlreadyExists)",
    ),
    "AWS::CloudFront::CachePolicy": (
        ("CachePolicyConfig", "Name"),
        lambda name, _: _config_names(cloudfront._cache_policies, name),
        "A cache policy with that name already exists: {0}. (CachePolicyAlreadyExists)",
    ),
    "AWS::Logs::DeliverySource": (("Name",), lambda name, _: name in logs._delivery_sources, ""),
    "AWS::Logs::DeliveryDestination": (("Name",), lambda name, _: name in logs._delivery_destinations, ""),
    "AWS::WAFv2::WebACL": (("Name",), lambda name, p: any(name == a["Name"] for a in waf._values_for_scope(waf._web_acls, p["Scope"])), ""),
}
"""Type to where its name stands in the properties, whether the name is taken, and the handler's words (empty: the general ones)."""


def install() -> None:
    """Put the checks before MiniStack's creations, and the missing tags on buckets."""
    table: dict[str, Any] = cfn._RESOURCE_HANDLERS
    for kind, (path, taken, words) in CLASHES.items():
        table[kind] = {**table[kind], "create": _checked(kind, path, taken, words, table[kind]["create"])}
    _buckets(table)
    _bucket_policies(table["AWS::S3::BucketPolicy"])
    resources = _ACTION_HANDLERS["DescribeStackResources"]

    def resources_of_owner(params: Any) -> Any:
        wanted = _p(params, "PhysicalResourceId")
        if not wanted or _p(params, "StackName"):
            return resources(params)
        for stack in _stacks.values():
            held = (stack.get("_resources") or {}).values()
            if stack.get("StackStatus") != "DELETE_COMPLETE" and any(each.get("PhysicalResourceId") == wanted for each in held):
                return resources({**params, "StackName": [stack["StackName"]]})
        return _error("ValidationError", f"Stack for {wanted} does not exist")

    _ACTION_HANDLERS["DescribeStackResources"] = resources_of_owner


def _checked(kind: str, path: tuple[str, ...], taken: Taken, words: str, create: Callable[..., Any]) -> Callable[..., Any]:
    def checked(logical_id: str, props: Properties, stack_name: str) -> Any:
        name: Any = props
        for key in path:
            name = (name or {}).get(key)
        if isinstance(name, str) and taken(name, props):
            said = words.format(name) if words else _generic(kind, name)
            raise ValueError(f'Resource handler returned message: "{said}" (HandlerErrorCode: AlreadyExists)')
        return create(logical_id, props, stack_name)

    return checked


_ENFORCED = b"<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"


def _buckets(table: dict[str, Any]) -> None:
    """Tags and the end of ACLs, which MiniStack loses."""
    bucket = table["AWS::S3::Bucket"]
    create, update = bucket["create"], bucket["update"]
    cfn._STACK_TAG_PROPERTY["AWS::S3::Bucket"] = ("Tags", "list")

    def tagged(made: Any, props: Properties) -> Any:
        tags = {str(each["Key"]): str(each["Value"]) for each in props.get("Tags") or []}
        if tags:
            # PutBucketTagging has no other tags stay (Amazon S3 API Reference).
            s3._bucket_tags[made[0]] = tags
        return made

    def create_tagged(logical_id: str, props: Properties, stack_name: str) -> Any:
        return tagged(create(logical_id, props, stack_name), props)

    def update_tagged(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Any:
        rules = (new.get("OwnershipControls") or {}).get("Rules") or [{}]
        if rules[0].get("ObjectOwnership") == "BucketOwnerEnforced":
            status, _, answer = s3._put_bucket_ownership_controls(physical_id, _ENFORCED)
            if status >= 300:
                raise ValueError(answer.decode())
        return tagged(update(physical_id, old, new, stack_name), new)

    bucket["create"], bucket["update"] = create_tagged, update_tagged


def _bucket_policies(handlers: dict[str, Any]) -> None:
    """Ref of a bucket's policy is the bucket: the primary identifier of its provider schema. MiniStack adds "-policy".

    A bucket that has a policy gets none by a creation (aws-cloudformation/cloudformation-coverage-roadmap#1068).
    """
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: Properties, stack_name: str) -> Any:
        if props["Bucket"] in s3._bucket_policies:
            raise ValueError(f"The bucket policy already exists on bucket {props['Bucket']}. (HandlerErrorCode: AlreadyExists)")
        return props["Bucket"], create(logical_id, props, stack_name)[1]

    def updated(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Any:
        _, attributes = update(physical_id, old, new, stack_name)
        # Another physical id would be a replacement, whose clean-up deletes the bucket's policy: a state on disk keeps the one it has.
        return physical_id if new["Bucket"] == old.get("Bucket") else new["Bucket"], attributes

    handlers["create"], handlers["update"] = created, updated
