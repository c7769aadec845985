"""What Terraform left, as Cloud Control would describe it, and an account in memory that has it.

In: nothing. Out: the fixtures' states, live properties in the shape of the provider schemas, gateways over them.
Never: a template of ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adoption.by_hand import by_hand
from adoption.places import places
from adoption.report import AdoptionReport
from adoption.survey import SurveyRequest, surveyed
from adoption.terraform import State, read
from assembly import files
from assembly.model import Assembly
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AwsError, NotFound
from aws.route53 import PublicZone
from templates.schemas import bundled
from tests.golden_files import ROOT
from tests.simulated import SimulatedGateways, SimulatedStanding

SCHEMAS = bundled()
ZONE = "Z08412361KIMMYAIZONE"
STATES = ROOT / "tests" / "terraform"
Live = dict[tuple[str, str], Any]
"""Type and identifier (its values, by "|") to properties, or the error that reading it ends in."""


def assembly(environment: str) -> tuple[Assembly, dict[str, bytes]]:
    return files.read(ROOT / "tests" / "golden" / "templates" / environment)


def state(environment: str) -> State:
    return read((STATES / f"{environment}.tfstate").read_bytes())


def tags(environment: str) -> list[dict[str, str]]:
    return [{"Key": "Environment", "Value": environment}, {"Key": "ManagedBy", "Value": "terraform"}]


def bucket(name: str, region: str, environment: str, **more: Any) -> dict[str, Any]:
    private = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    return {
        "BucketName": name,
        "Arn": f"arn:aws:s3:::{name}",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": private,
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "Tags": tags(environment),
        **more,
    }


def distribution(environment: str) -> dict[str, Any]:
    """dev: Origin Access Identity, forwarded values, standard logging, old TLS. prod: Origin Access Control, managed cache policy."""
    dev = environment == "dev"
    account = "111111111111" if dev else "333333333333"
    name = f"{environment}-kimmyai-web-public"
    origin: dict[str, Any] = {"Id": "S3-website", "DomainName": f"{name}.s3.eu-west-1.amazonaws.com", "ConnectionAttempts": 3}
    behaviour: dict[str, Any] = {"TargetOriginId": "S3-website", "ViewerProtocolPolicy": "redirect-to-https", "Compress": True}
    if dev:
        origin["S3OriginConfig"] = {"OriginAccessIdentity": "origin-access-identity/cloudfront/E2OAIKIMMYDEV1"}
        origin["OriginCustomHeaders"] = [{"HeaderName": "X-Origin", "HeaderValue": "NOT_TO_BE_SHOWN"}]
        behaviour["ForwardedValues"] = {"QueryString": False, "Cookies": {"Forward": "none"}}
        arn = f"arn:aws:lambda:us-east-1:{account}:function:dev-kimmyai-basic-auth:7"
        behaviour["LambdaFunctionAssociations"] = [{"EventType": "viewer-request", "LambdaFunctionARN": arn}]
    else:
        origin |= {"OriginAccessControlId": "E2OACKIMMYPRD3", "S3OriginConfig": {"OriginAccessIdentity": ""}}
        behaviour |= {
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
        }
    certificates = {str(each.attributes["arn"]) for each in state(environment).resources if each.type == "aws_acm_certificate"}
    config: dict[str, Any] = {
        "Aliases": ["dev.kimmyai.io" if dev else "kimmyai.io"],
        "Enabled": True,
        "Origins": [origin],
        "DefaultCacheBehavior": behaviour,
        "ViewerCertificate": {
            "AcmCertificateArn": certificates.pop(),
            "SslSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1" if dev else "TLSv1.2_2021",
        },
    }
    if dev:
        config["Logging"] = {"Bucket": f"{name}-logs.s3.amazonaws.com", "Prefix": "cdn/"}
    identifier = "E1DEVKIMMYAI01" if dev else "E3PRODKIMMYAI3"
    return {
        "Id": identifier,
        "DomainName": f"d{identifier.lower()}.cloudfront.net",
        "DistributionConfig": config,
        "Tags": tags(environment),
    }


def terraformed(environment: str) -> Live:
    """All that the state of the environment manages and CloudFormation can read."""
    dev = environment == "dev"
    account, region = ("111111111111", "eu-west-1") if dev else ("333333333333", "af-south-1")
    name, domain = f"{environment}-kimmyai-web-public", "dev.kimmyai.io" if dev else "kimmyai.io"
    live: Live = {}
    for each in state(environment).resources:
        if each.type == "aws_acm_certificate":
            arn = str(each.attributes["arn"])
            live["AWS::CertificateManager::Certificate", arn] = {
                "CertificateArn": arn,
                "DomainName": "kimmyai.io",
                "SubjectAlternativeNames": ["*.kimmyai.io", "kimmyai.io"],
            }
    live["AWS::S3::Bucket", name] = bucket(name, region, environment)
    live["AWS::S3::BucketPolicy", name] = {"Bucket": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    told = distribution(environment)
    live["AWS::CloudFront::Distribution", told["Id"]] = told
    for kind in ("A", "AAAA"):
        target = {"DNSName": f"{told['DomainName']}.", "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": False}
        live["AWS::Route53::RecordSet", f"{domain}|{ZONE}|{kind}"] = {
            "Name": f"{domain}.",
            "Type": kind,
            "HostedZoneId": ZONE,
            "AliasTarget": target,
        }
    if not dev:
        live["AWS::CloudFront::OriginAccessControl", "E2OACKIMMYPRD3"] = {
            "Id": "E2OACKIMMYPRD3",
            "OriginAccessControlConfig": {
                "Name": "prod-kimmyai-oac",
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            },
        }
        headers = "67f7725c-6f97-4210-82d7-5512b31e9d03"
        live["AWS::CloudFront::ResponseHeadersPolicy", headers] = {
            "Id": headers,
            "ResponseHeadersPolicyConfig": {"Name": "prod-kimmyai-security", "Comment": ""},
        }
        check = "1c7f5c6c-3333-4b0e-8f43-5d5c1b9b0a03"
        live["AWS::Route53::HealthCheck", check] = {
            "HealthCheckId": check,
            "HealthCheckConfig": {"Type": "HTTPS", "FullyQualifiedDomainName": domain, "MeasureLatency": False, "RequestInterval": 30},
        }
    assert account
    return live


@dataclass
class Account(SimulatedGateways):
    """Gateways over what stands."""

    live_properties: Live = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """Physical id to the stack that has it."""
    users: dict[str, list[str]] = field(default_factory=dict)
    """Certificate to what uses it."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return self

    def get(self, resource_type: str, identifier: Mapping[str, str], *, service_role_arn: str | None = None) -> dict[str, Any]:
        key = (resource_type, "|".join(identifier.values()))
        self.asked.append(key)
        found = self.live_properties.get(key)
        if isinstance(found, AwsError):
            raise found
        if found is None:
            raise NotFound(f"{key} was not found", code="ResourceNotFoundException")
        return dict(json.loads(json.dumps(found)))

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        made = super().cloudformation(account_id, region)
        owners = self.owners

        class Owning(CloudFormation):
            def owner(self, physical_id: str, resource_type: str) -> str:
                return owners.get(physical_id, "")

        return Owning(made._client, account_id=account_id, region=region, sleep=lambda _: None)

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return Standing(self.there, self.users)

    def route53(self, account_id: str, role_arn: str | None = None) -> Any:
        return self

    def find_public_zone(self, name: str) -> PublicZone:
        return PublicZone(id=ZONE, name=name)

    def record_sets(self, _: str, name: str) -> tuple[dict[str, Any], ...]:
        return ()


@dataclass(frozen=True)
class Standing(SimulatedStanding):
    users: Mapping[str, list[str]]

    def list_certificates(self, **_: Any) -> Any:
        return {"CertificateSummaryList": []}

    def describe_certificate(self, CertificateArn: str) -> Any:
        return {"Certificate": {"InUseBy": self.users.get(CertificateArn, [])}}


def adopted(environment: str, account: Account, *given: str, check: bool = False, of: State | None = None) -> AdoptionReport:
    """The report of the environment over that account."""
    made, templates = assembly(environment)
    asked = SurveyRequest(
        assembly=made,
        templates=templates,
        state=of or state(environment),
        by_hand=by_hand(given, places(made, templates, None, {}), SCHEMAS),
        check=check,
    )
    return surveyed(asked, account, SCHEMAS)
