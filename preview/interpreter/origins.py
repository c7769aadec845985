"""Origins, origin groups and the buckets behind them, from a DistributionConfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from preview.interpreter.resources import Account, integer, items
from preview.model import (
    Bucket,
    Origin,
    OriginGroup,
)
from templates.intrinsics import unresolved
from templates.policies import statements
from templates.view import mapping

_ORIGIN = {
    *("DomainName", "Id", "OriginAccessControlId", "OriginPath", "OriginCustomHeaders", "S3OriginConfig", "ConnectionAttempts"),
    "ConnectionTimeout",
}


def origin_of(account: Account, where: str, given: Mapping[str, Any]) -> Origin:
    identifier, domain = str(given.get("Id", "")), str(given.get("DomainName", ""))
    where = f"{where}: origin {identifier}"
    account.unknown(where, given, _ORIGIN)
    bucket = bucket_of(account, domain)
    if bucket is None:
        account.note(f"{where}: {domain} is no bucket of these templates; the preview answers 502 for it")
    elif "S3OriginConfig" not in given:
        account.note(f"{where}: has no S3OriginConfig, without which CloudFront refuses the Origin Access Control")
    if mapping(given.get("S3OriginConfig")).get("OriginAccessIdentity"):
        account.note(f"{where}: OriginAccessIdentity is not imitated")
    return Origin(
        id=identifier,
        domain_name=domain,
        path=str(given.get("OriginPath") or ""),
        bucket=bucket,
        signed=_signed(account, where, given.get("OriginAccessControlId")),
        connection_attempts=integer(given.get("ConnectionAttempts"), 3),
        connection_timeout=integer(given.get("ConnectionTimeout"), 10),
        read_timeout=integer(mapping(given.get("S3OriginConfig")).get("OriginReadTimeout"), 30),
        custom_headers=tuple((str(h["HeaderName"]), str(h["HeaderValue"])) for h in items(given.get("OriginCustomHeaders"))),
    )


def _signed(account: Account, where: str, identifier: Any) -> bool:
    if not identifier:
        return False
    resource = account.by(str(identifier), "AWS::CloudFront::OriginAccessControl")
    if resource is None:
        account.note(f"{where}: no template makes its Origin Access Control {identifier}; requests go unsigned")
        return False
    config = mapping(resource.properties.get("OriginAccessControlConfig"))
    if config.get("SigningBehavior") == "no-override":
        account.note(f"{resource.where}: SigningBehavior no-override is imitated like always")
    if config.get("OriginAccessControlOriginType") != "s3":
        account.note(f"{resource.where}: OriginAccessControlOriginType {config.get('OriginAccessControlOriginType')} does not sign for S3")
        return False
    return config.get("SigningBehavior") in ("always", "no-override")


def bucket_of(account: Account, domain: str) -> Bucket | None:
    for attribute in ("RegionalDomainName", "DomainName"):
        resource = account.by(domain, "AWS::S3::Bucket", attribute=attribute)
        if resource is not None:
            name = resource.attribute()
            policies = [r for r in account.of("AWS::S3::BucketPolicy") if r.properties.get("Bucket") == name]
            for policy in policies:
                if unresolved(policy.properties.get("PolicyDocument")):
                    account.note(f"{policy.where}: holds a function that only CloudFormation can resolve")
            stack = resource.deployed.stack
            return Bucket(
                name=name,
                arn=resource.attribute("Arn"),
                region=stack.region,
                account_id=stack.account_id,
                policy=tuple(s for p in policies for s in statements(p.properties.get("PolicyDocument"))) if policies else None,
            )
    return None


def group_of(given: Mapping[str, Any]) -> OriginGroup:
    codes = items(mapping(mapping(given.get("FailoverCriteria")).get("StatusCodes")))
    return OriginGroup(
        id=str(given.get("Id", "")),
        members=tuple(str(mapping(m).get("OriginId", "")) for m in items(given.get("Members"))),
        codes=tuple(int(code) for code in codes),
    )
