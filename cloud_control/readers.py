# mypy: allow-untyped-calls
"""What stands in MiniStack's stores, by type, in the shape of the provider schema.

In: an identifier. Out: properties, None where nothing stands. Never: changes anything.

Sources: the provider schemas that cfn-lint carries; the services' API references.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import acm, cloudfront, iam, route53, s3
from ministack.services.cloudformation import drift

from cloud_control import firewall, shapes

Identifier = Mapping[str, str]
Properties = dict[str, Any]
Reader = Callable[[Identifier], Properties | None]


def _tags(tags: Any) -> list[dict[str, str]]:
    if isinstance(tags, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in tags.items()]
    return [{"Key": str(each.get("Key")), "Value": str(each.get("Value", ""))} for each in tags or ()]


def _with(found: Properties, **more: Any) -> Properties:
    return found | {name: value for name, value in more.items() if value not in (None, "", [], {})}


def _document(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) and text else text


def _bucket(of: Identifier) -> Properties | None:
    name = of["BucketName"]
    bucket: Any = s3._buckets.get(name)
    if bucket is None:
        return None
    region = bucket.get("region") or get_region()
    settings: dict[str, Any] = {}
    if s3._bucket_versioning.get(name):
        settings["VersioningConfiguration"] = {"Status": s3._bucket_versioning[name]}
    encryption = s3._bucket_encryption.get(name)
    # S3 encrypts every new bucket with SSE-S3 (Amazon S3 User Guide, "Setting default server-side encryption behavior").
    rules = shapes.s3(encryption)["Rules"] if encryption else [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    settings["BucketEncryption"] = {
        "ServerSideEncryptionConfiguration": [
            {
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
                "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            }
            for rule in rules
        ]
    }
    for key, setting in (("_ownership_controls", "OwnershipControls"), ("_public_access_block", "PublicAccessBlockConfiguration")):
        if bucket.get(key):
            settings[setting] = shapes.s3(bucket[key]) if isinstance(bucket[key], str) else bucket[key]
    if not bucket.get("_ownership_controls") and not bucket.get("_ownership_controls_deleted"):
        settings["OwnershipControls"] = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    website = s3._bucket_websites.get(name)
    if website:
        told = shapes.s3(website)
        settings["WebsiteConfiguration"] = {
            key: value
            for key, value in (
                ("IndexDocument", (told.get("IndexDocument") or {}).get("Suffix")),
                ("ErrorDocument", (told.get("ErrorDocument") or {}).get("Key")),
            )
            if value
        }
    return _with(
        {
            "BucketName": name,
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        },
        **settings,
        Tags=_tags(s3._bucket_tags.get(name)),
    )


def _bucket_policy(of: Identifier) -> Properties | None:
    policy = s3._bucket_policies.get(of["Bucket"])
    return {"Bucket": of["Bucket"], "PolicyDocument": _document(policy)} if policy else None


def _distribution(of: Identifier) -> Properties | None:
    stands: Any = cloudfront._distributions.get(of["Id"])
    if stands is None:
        return None
    found = {
        "Id": stands["Id"],
        "DomainName": stands["DomainName"],
        "DistributionConfig": shapes.distribution(stands["config_xml"]),
    }
    return _with(found, Tags=_tags(cloudfront._tags.get(stands["ARN"])))


def _access_identity(_: Identifier) -> Properties | None:
    """MiniStack has none: its bucket policies and distributions name them, and nothing stands there."""
    return None


def _access_control(of: Identifier) -> Properties | None:
    stands: Any = cloudfront._oacs.get(of["Id"])
    if stands is None:
        return None
    names = ("Name", "Description", "OriginAccessControlOriginType", "SigningBehavior", "SigningProtocol")
    return {"Id": of["Id"], "OriginAccessControlConfig": {name: stands[name] for name in names if stands.get(name)}}


def _policy(store: str, config: str) -> Reader:
    def read(of: Identifier) -> Properties | None:
        stands: Any = getattr(cloudfront, store).get(of["Id"])
        if stands is None:
            return None
        return {"Id": of["Id"], "LastModifiedTime": stands["LastModifiedTime"], config: json.loads(json.dumps(stands["Config"]))}

    return read


def _edge_function(of: Identifier) -> Properties | None:
    arn = of["FunctionARN"]
    stands: Any = cloudfront._functions.get(arn.rpartition("/")[2])
    if stands is None or stands["arn"] != arn:
        return None
    code = stands["code"]
    return {
        "Name": arn.rpartition("/")[2],
        "FunctionARN": arn,
        "FunctionMetadata": {"FunctionARN": arn},
        "FunctionCode": code.decode("utf-8", "replace") if isinstance(code, bytes) else str(code),
        "FunctionConfig": _with({"Runtime": stands["runtime"]}, Comment=stands.get("comment")),
    }


def _subscription(of: Identifier) -> Properties | None:
    stands: Any = cloudfront._distributions.get(of["DistributionId"])
    if not stands or not stands.get("MonitoringSubscription"):
        return None
    enabled = {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}}
    return {"DistributionId": of["DistributionId"], "MonitoringSubscription": enabled}


def _record(of: Identifier) -> Properties | None:
    for record in route53._records.get(of["HostedZoneId"], []):
        key = (record["Name"].rstrip(".").lower(), record["Type"], record.get("SetIdentifier") or "")
        if key == (of["Name"].rstrip(".").lower(), of["Type"], of.get("SetIdentifier") or ""):
            values = [each["Value"] if isinstance(each, Mapping) else str(each) for each in record.get("ResourceRecords") or []]
            rest = {name: value for name, value in record.items() if name != "ResourceRecords"}
            return _with({**rest, "HostedZoneId": of["HostedZoneId"]}, ResourceRecords=values)
    return None


def _health_check(of: Identifier) -> Properties | None:
    stands: Any = route53._health_checks.get(of["HealthCheckId"])
    if stands is None:
        return None
    tags = _tags(route53._tags.get(("healthcheck", of["HealthCheckId"])))
    config = {name: _typed(value) for name, value in stands["config"].items()}
    return _with({"HealthCheckId": of["HealthCheckId"], "HealthCheckConfig": config}, HealthCheckTags=tags)


def _typed(value: Any) -> Any:
    """Route 53 speaks XML: every value there is a text, and in the provider schema it is not."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value, int(value) if value.isdecimal() else value)
    return value


def _certificate(of: Identifier) -> Properties | None:
    arn = of["CertificateArn"]
    stands: Any = acm._certificates.get(arn)
    if stands is None:
        return None
    found = {
        "CertificateArn": arn,
        "DomainName": stands["DomainName"],
        "SubjectAlternativeNames": list(stands.get("SubjectAlternativeNames") or [stands["DomainName"]]),
        "KeyAlgorithm": str(stands.get("KeyAlgorithm", "RSA_2048")).replace("-", "_"),
        "CertificateTransparencyLoggingPreference": (stands.get("Options") or {}).get(
            "CertificateTransparencyLoggingPreference", "ENABLED"
        ),
    }
    return _with(found, Tags=_tags(stands.get("Tags")))


def _managed_policy(of: Identifier) -> Properties | None:
    stands: Any = iam._policies.get(of["PolicyArn"])
    if stands is None:
        return None
    version: Any = next((each for each in (stands.get("Versions") or {}).values() if each.get("IsDefaultVersion")), {})
    return _with(
        {"PolicyArn": of["PolicyArn"], "ManagedPolicyName": stands["PolicyName"], "Path": stands.get("Path", "/")},
        Description=stands.get("Description"),
        PolicyDocument=_document(version.get("Document")),
    )


def _identity_provider(of: Identifier) -> Properties | None:
    """Its Url without the scheme, as GetOpenIDConnectProvider tells it (IAM API reference)."""
    stands = iam._oidc_providers.get(of["Arn"])
    if stands is None:
        return None
    told = {"Arn": of["Arn"], "Url": of["Arn"].partition("/")[2], "ClientIdList": list(stands["ClientIDList"])}
    return _with(told, ThumbprintList=list(stands["ThumbprintList"]), Tags=_tags(stands.get("Tags")))


def _role(of: Identifier) -> Properties | None:
    stands: Any = iam._roles.get(of["RoleName"])
    told: Any = drift._read_iam_role(of["RoleName"], {})
    if stands is None or told is None:
        return None
    inline = stands.get("InlinePolicies") or {}
    policies = [{"PolicyName": name, "PolicyDocument": _document(body)} for name, body in inline.items()]
    boundary = stands.get("PermissionsBoundary")
    boundary = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, Mapping) else boundary
    attached = [each if isinstance(each, str) else each.get("PolicyArn") for each in stands.get("AttachedPolicies") or []]
    found = {**told, "Arn": stands.get("Arn", f"arn:aws:iam::{get_account_id()}:role/{of['RoleName']}"), "RoleId": stands.get("RoleId", "")}
    found["Tags"] = _tags(told.get("Tags"))
    return _with(found, Policies=policies, PermissionsBoundary=boundary, ManagedPolicyArns=attached)


def _as_drift(kind: str, key: str) -> Reader:
    """What MiniStack's own drift detection reads, with tags as a list."""

    def read(of: Identifier) -> Properties | None:
        reader, _ = drift._DRIFT_READERS[kind]
        told: Any = reader(of[key], {})
        if told is None:
            return None
        found = {name: value for name, value in told.items() if value not in (None, [], {}, "") and name != "Tags"}
        return _with({key: of[key], **found}, Tags=_tags(told.get("Tags")))

    return read


READERS: Mapping[str, Reader] = {
    "AWS::CertificateManager::Certificate": _certificate,
    "AWS::CloudFront::CachePolicy": _policy("_cache_policies", "CachePolicyConfig"),
    "AWS::CloudFront::CloudFrontOriginAccessIdentity": _access_identity,
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::Function": _edge_function,
    "AWS::CloudFront::MonitoringSubscription": _subscription,
    "AWS::CloudFront::OriginAccessControl": _access_control,
    "AWS::CloudFront::ResponseHeadersPolicy": _policy("_response_headers_policies", "ResponseHeadersPolicyConfig"),
    "AWS::DynamoDB::Table": _as_drift("AWS::DynamoDB::Table", "TableName"),
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::OIDCProvider": _identity_provider,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Function": _as_drift("AWS::Lambda::Function", "FunctionName"),
    "AWS::Logs::LogGroup": _as_drift("AWS::Logs::LogGroup", "LogGroupName"),
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::RecordSet": _record,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::WAFv2::LoggingConfiguration": firewall.logging,
    "AWS::WAFv2::WebACL": firewall.web_acl,
}
"""By resource type."""
