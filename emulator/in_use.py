# mypy: allow-untyped-calls
"""What is in use cannot be deleted.

In: deletions by a stack or the API. Out: the refusal of the service that owns the resource, as long as any distribution of the account
names it, a delivery uses it, or objects are in it; then MiniStack's own deletion.
Allowed, as at AWS: topics, health checks, log groups and roles that something refers to.
Not imitated: the hours in which a version that no distribution names any more still has replicas at the edge.

Sources: API references, DeleteCertificate (ResourceInUseException), DeleteResponseHeadersPolicy, DeleteCachePolicy,
DeleteOriginRequestPolicy, DeleteOriginAccessControl and DeleteFunction (...InUse), DeleteWebACL (WAFAssociatedItemException); Lambda
Developer Guide, "Deleting Lambda@Edge functions"; CloudWatch Logs API, DeleteDeliverySource and DeleteDeliveryDestination (not while a
delivery is associated); S3 API, DeleteBucket (BucketNotEmpty); Route 53 API, DeleteHealthCheck (records do not prevent it).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ministack.services.cloudformation.provisioners as cfn
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import acm, cloudfront, lambda_svc, s3
from ministack.services import cloudwatch_logs as logs

Properties = dict[str, Any]


def _physical_id(physical_id: str, _: Properties) -> str:
    return physical_id


def _function_arn(name: str) -> str:
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name.rpartition(':function:')[2]}"


def _web_acl_arn(physical_id: str, _: Properties) -> str:
    name, identity, scope = [*physical_id.split("|"), "", ""][:3]
    kind = "global" if scope == "CLOUDFRONT" else "regional"
    return f"arn:aws:wafv2:us-east-1:{get_account_id()}:{kind}/webacl/{name}/{identity}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Deletions of one resource type; `name` gives what a distribution calls it, `suffix` is a pattern of what may follow."""

    name: Callable[[str, Properties], str] = _physical_id
    suffix: str = ""
    words: str
    """The refusal; {0} is the name."""


RULES: dict[str, Rule] = {
    "AWS::CertificateManager::Certificate": Rule(words="Certificate {0} in use. (Status Code: 400; ResourceInUseException)"),
    "AWS::Lambda::Version": Rule(
        words="Lambda was unable to delete {0} because it is a replicated function. (InvalidParameterValueException)"
    ),
    "AWS::Lambda::Function": Rule(
        name=lambda physical_id, _: _function_arn(physical_id),
        suffix=r":\d+",
        words="Lambda was unable to delete {0} because it is a replicated function. (InvalidParameterValueException)",
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": Rule(words="The response headers policy {0} is in use. (ResponseHeadersPolicyInUse)"),
    "AWS::CloudFront::CachePolicy": Rule(words="The cache policy {0} is in use. (CachePolicyInUse)"),
    "AWS::CloudFront::OriginRequestPolicy": Rule(words="The origin request policy {0} is in use. (OriginRequestPolicyInUse)"),
    "AWS::CloudFront::OriginAccessControl": Rule(words="The origin access control {0} is in use. (OriginAccessControlInUse)"),
    "AWS::CloudFront::Function": Rule(words="The function {0} is in use. (FunctionInUse)"),
    "AWS::WAFv2::WebACL": Rule(name=_web_acl_arn, words="AWS WAF couldn't delete {0}: it is associated. (WAFAssociatedItemException)"),
}


def install() -> None:
    """Check before the deletions of stacks, and before those of the API that are served."""
    table: dict[str, Any] = cfn._RESOURCE_HANDLERS
    for kind, rule in RULES.items():
        table[kind] = {**table[kind], "delete": _checked(rule, table[kind]["delete"])}
    for kind, refusal in REFUSALS.items():
        table[kind] = {**table[kind], "delete": _unless(refusal, table[kind]["delete"])}
    _install_certificates()
    delete_function, delete_edge_function = lambda_svc._delete_function, cloudfront._cf_delete_function

    def delete_function_checked(name: str, query: dict[str, Any], qualifier: str | None = None) -> Any:
        asked = lambda_svc._qualifier_from_path_or_query(qualifier, query)
        version = asked if asked and asked != "$LATEST" else ""
        words = RULES["AWS::Lambda::Function"].words
        arn = _function_arn(name) + (f":{version}" if version else "")
        if used(arn, "" if version else r":\d+"):
            return error_response_json("InvalidParameterValueException", words.format(arn), 400)
        return delete_function(name, query, qualifier)

    def delete_edge_function_checked(name: str, headers: Any) -> Any:
        function = cloudfront._functions.get(name)
        if function and used(function["arn"]):
            return cloudfront._error("FunctionInUse", f"The function {name} is in use.", 409)
        return delete_edge_function(name, headers)

    vars(lambda_svc)["_delete_function"] = delete_function_checked
    vars(cloudfront)["_cf_delete_function"] = delete_edge_function_checked


def _install_certificates() -> None:
    delete = acm._delete_certificate

    def delete_checked(data: dict[str, Any]) -> Any:
        arn = data.get("CertificateArn", "")
        if arn in acm._certificates and used(arn):
            words = f"Certificate {arn} in account {get_account_id()} is in use."
            return error_response_json("ResourceInUseException", words, 400)
        return delete(data)

    vars(acm)["_delete_certificate"] = delete_checked


def _has_objects(bucket: str) -> str:
    held = s3._buckets.get(bucket, {}).get("objects") or any(b == bucket and v for (b, _), v in s3._object_versions.items())
    return (
        f"The bucket you tried to delete is not empty. You must delete all versions in the bucket. ({bucket}; BucketNotEmpty)"
        if held
        else ""
    )


def _delivers(name: str) -> str:
    target = logs._delivery_destinations.get(name, {}).get("arn")
    held = any(name == each.get("deliverySourceName") or target == each.get("deliveryDestinationArn") for each in logs._deliveries.values())
    return f"Cannot delete {name} as it is used by a delivery. (ConflictException)" if held else ""


REFUSALS: dict[str, Callable[[str], str]] = {
    "AWS::S3::Bucket": _has_objects,
    "AWS::Logs::DeliverySource": _delivers,
    "AWS::Logs::DeliveryDestination": _delivers,
}
"""Deletions by a stack that depend on something else than distributions."""


def used(name: str, suffix: str = "") -> bool:
    """Whether the configuration of a distribution of this account names it."""
    pattern = re.compile(f">{re.escape(name)}{suffix}<")
    return any(pattern.search(each["config_xml"]) for each in cloudfront._distributions.values())


def _checked(rule: Rule, delete: Callable[[str, Properties], Any]) -> Callable[[str, Properties], Any]:
    def checked(physical_id: str, props: Properties) -> Any:
        name = rule.name(physical_id, props)
        if name and used(name, rule.suffix):
            raise ValueError(rule.words.format(name))
        return delete(physical_id, props)

    return checked


def _unless(refusal: Callable[[str], str], delete: Callable[[str, Properties], Any]) -> Callable[[str, Properties], Any]:
    def checked(physical_id: str, props: Properties) -> Any:
        if words := refusal(physical_id):
            raise ValueError(words)
        return delete(physical_id, props)

    return checked
