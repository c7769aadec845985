"""A platform as Terraform would have left it: resources made through the services' own APIs, and the state file that goes with them.

In: clients of an account, a directory, a shape. Out: `Terraformed`, the identifiers that a visitor or a neighbour knows; the state on disk.
Never: makes anything by CloudFormation. The states are those of tests/terraform, with the identifiers that AWS gave.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from aws.session import Aws
from local_aws import prepare
from tests.environments_fixture import ROOT
from tests.functional.distributions import CACHING_OPTIMIZED

STATES = ROOT / "tests" / "terraform"
Shape = Literal["identity", "control", "website"]
"""How the distribution reads its bucket: Origin Access Identity, Origin Access Control, or the public website endpoint."""

EVERYTHING_PRIVATE = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
IDENTITY = "E2OAIKIMMYDEV1"
"""Of the state: the local AWS makes no Origin Access Identities, and nothing there looks whether one exists."""
OBJECTS = {"index.html": ("text/html", "<!doctype html><title>old</title><p>as it was"), "robots.txt": ("text/plain", "User-agent: *\n")}
"""As `aws s3 sync` puts them: without Cache-Control."""


@dataclass(frozen=True, kw_only=True)
class Terraformed:
    """What must be the same before and after."""

    bucket: str
    zone: str
    certificate: str
    distribution: str
    domain_name: str
    identity: str = ""
    """Id of the Origin Access Identity, if there is one."""
    function: str = ""
    """ARN of the published version of the Lambda@Edge function, if there is one."""
    state: Path = Path()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where it is made."""

    aws: Aws
    account: str
    environment: Literal["dev", "prod"]
    region: str
    domain: str
    bucket: str

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return self.aws.client(service, account_id=self.account, region=region)


def terraform_apply(place: Place, shape: Shape, directory: Path) -> Terraformed:
    """Make everything of the modules s3-website, acm, lambda-edge, cloudfront and route53, and write the state."""
    zone = prepare.hosted_zone(place.aws, name="kimmyai.io", account_id=place.account)
    made = Terraformed(bucket=place.bucket, zone=zone, certificate=_acm(place, zone), distribution="", domain_name="")
    if place.environment == "dev":
        made = replace(made, function=_lambda_edge(place))
    made = _cloudfront(place, made, shape)
    _s3_website(place, made, shape)
    _route53(place, made)
    file = directory / f"{place.environment}.tfstate"
    file.write_text(_state(place, made))
    return replace(made, state=file)


# --- the modules --------------------------------------------------------------------------------------------------


def _acm(place: Place, zone: str) -> str:
    acm = place.client("acm")
    asked = {"DomainName": "kimmyai.io", "SubjectAlternativeNames": ["*.kimmyai.io"], "ValidationMethod": "DNS"}
    arn = str(acm.request_certificate(**asked, Options={"CertificateTransparencyLoggingPreference": "ENABLED"})["CertificateArn"])
    names = acm.describe_certificate(CertificateArn=arn)["Certificate"].get("DomainValidationOptions", [])
    records = {r["Name"]: r for each in names if (r := each.get("ResourceRecord"))}
    for record in records.values():
        _record(place, zone, record["Name"], "CNAME", TTL=60, ResourceRecords=[{"Value": record["Value"]}])
    return arn


def _lambda_edge(place: Place) -> str:
    name = f"{place.environment}-kimmyai-basic-auth"
    services = {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": services, "Action": "sts:AssumeRole"}]}
    role = place.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    place.client("logs").create_log_group(logGroupName=f"/aws/lambda/us-east-1.{name}")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.js", "exports.handler = async (event) => event.Records[0].cf.request;\n")
    made = place.client("lambda").create_function(
        FunctionName=name, Runtime="nodejs20.x", Role=role, Handler="index.handler", Code={"ZipFile": code.getvalue()}, Publish=True
    )
    arn = str(made["FunctionArn"])
    return arn if arn.endswith(f":{made['Version']}") else f"{arn}:{made['Version']}"


def _cloudfront(place: Place, made: Terraformed, shape: Shape) -> Terraformed:
    cloudfront = place.client("cloudfront")
    domain = f"{place.bucket}.s3.{place.region}.amazonaws.com"
    origin: dict[str, Any] = {"Id": "S3-website", "DomainName": domain, "OriginPath": "", "CustomHeaders": {"Quantity": 0}}
    if shape == "identity":
        made = replace(made, identity=IDENTITY)
        origin["S3OriginConfig"] = {"OriginAccessIdentity": f"origin-access-identity/cloudfront/{made.identity}"}
    elif shape == "control":
        config = {"Name": f"{place.environment}-kimmyai-oac", "SigningProtocol": "sigv4", "SigningBehavior": "always"}
        answer = cloudfront.create_origin_access_control(OriginAccessControlConfig={**config, "OriginAccessControlOriginType": "s3"})
        origin |= {"OriginAccessControlId": answer["OriginAccessControl"]["Id"], "S3OriginConfig": {"OriginAccessIdentity": ""}}
    else:
        origin["DomainName"] = f"{place.bucket}.s3-website-{place.region}.amazonaws.com"
        protocols = {"Quantity": 1, "Items": ["TLSv1.2"]}
        origin["CustomOriginConfig"] = {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": protocols,
        }
    answer = cloudfront.create_distribution(DistributionConfig=_distribution(place, made, origin))["Distribution"]
    return replace(made, distribution=answer["Id"], domain_name=answer["DomainName"])


def _distribution(place: Place, made: Terraformed, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Legacy wherever Terraform's older examples are: forwarded values, standard logging, TLS 1.0, errors turned into the page."""
    methods = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    behaviour: dict[str, Any] = {
        "TargetOriginId": origin["Id"],
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {**methods, "CachedMethods": methods},
        "Compress": True,
    }
    if place.environment == "dev":
        behaviour |= {"ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}, "MinTTL": 0, "DefaultTTL": 3600}
        association = {"LambdaFunctionARN": made.function, "EventType": "viewer-request", "IncludeBody": False}
        behaviour["LambdaFunctionAssociations"] = {"Quantity": 1, "Items": [association]}
    else:
        behaviour["CachePolicyId"] = CACHING_OPTIMIZED
    page = {"ErrorCode": 404, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 10}
    logging = {"Enabled": True, "IncludeCookies": False, "Bucket": f"{place.bucket}-logs.s3.amazonaws.com", "Prefix": ""}
    return {
        "CallerReference": f"terraform-{place.account}",
        "Aliases": {"Quantity": 1, "Items": [place.domain]},
        "Comment": f"SPA {place.domain}",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {"Quantity": 1, "Items": [dict(origin)]},
        "DefaultCacheBehavior": behaviour,
        "CustomErrorResponses": {"Quantity": 1, "Items": [page]},
        "PriceClass": "PriceClass_100" if place.environment == "dev" else "PriceClass_All",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        **({"Logging": logging} if place.environment == "dev" else {}),
        "ViewerCertificate": {
            "ACMCertificateArn": made.certificate,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1" if place.environment == "dev" else "TLSv1.2_2021",
        },
    }


def _s3_website(place: Place, made: Terraformed, shape: Shape) -> None:
    s3 = place.client("s3", place.region)
    s3.create_bucket(Bucket=place.bucket, CreateBucketConfiguration={"LocationConstraint": place.region})
    tags = {"Environment": place.environment, "ManagedBy": "terraform", "Project": "kimmyai"}
    s3.put_bucket_tagging(Bucket=place.bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
    if shape == "website":
        s3.put_public_access_block(Bucket=place.bucket, PublicAccessBlockConfiguration=dict.fromkeys(EVERYTHING_PRIVATE, False))
        s3.put_bucket_website(
            Bucket=place.bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "index.html"}}
        )
    else:
        s3.put_public_access_block(Bucket=place.bucket, PublicAccessBlockConfiguration=EVERYTHING_PRIVATE)
    statement: dict[str, Any] = {
        "Sid": "AllowCloudFront",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{place.bucket}/*",
    }
    if shape == "identity":
        statement["Principal"] = {"AWS": f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {made.identity}"}
    elif shape == "control":
        arn = f"arn:aws:cloudfront::{place.account}:distribution/{made.distribution}"
        statement |= {"Principal": {"Service": "cloudfront.amazonaws.com"}, "Condition": {"StringEquals": {"AWS:SourceArn": arn}}}
    s3.put_bucket_policy(Bucket=place.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for key, (kind, body) in OBJECTS.items():
        s3.put_object(Bucket=place.bucket, Key=key, Body=body.encode(), ContentType=kind)


def _route53(place: Place, made: Terraformed) -> None:
    target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": made.domain_name, "EvaluateTargetHealth": False}
    for kind in ("A", "AAAA"):
        _record(place, made.zone, place.domain, kind, AliasTarget=target)


def _record(place: Place, zone: str, name: str, kind: str, **record: Any) -> None:
    change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": kind, **record}}
    place.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})


# --- the state ----------------------------------------------------------------------------------------------------


def _state(place: Place, made: Terraformed) -> str:
    """The fixture's state with what AWS gave in the place of what it says; of the shape that was made."""
    text = (STATES / f"{place.environment}.tfstate").read_text(encoding="utf-8")
    state = json.loads(text)
    told = {(r["type"], r["name"]): r["instances"][0]["attributes"] for r in state["resources"] if r["mode"] in ("managed", "data")}
    of: Callable[[str], Mapping[str, Any]] = lambda kind: next(found for (each, _), found in told.items() if each == kind)  # noqa: E731
    distribution = of("aws_cloudfront_distribution")
    same = {
        str(of("aws_s3_bucket")["bucket"]): made.bucket,
        str(of("aws_route53_zone")["id"]): made.zone,
        str(of("aws_acm_certificate")["arn"]): made.certificate,
        str(distribution["id"]): made.distribution,
        str(distribution["domain_name"]): made.domain_name,
        str(distribution["arn"]).split(":")[4]: place.account,
    }
    if made.function:
        same[str(of("aws_lambda_function")["qualified_arn"])] = made.function
    for before, after in sorted(same.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(before, after)
    return text
