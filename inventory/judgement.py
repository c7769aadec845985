"""Whose something is that stands there, and what follows for the stack that wants its name.

In: what is wanted, what was found, the stack that has it, what speaks for this environment. Out: `Verdict`.
Never: takes over what may be somebody else's without being told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assembly.commands import deploy
from assembly.model import Assembly
from gateways.existing import Found
from inventory.model import Owner, Verdict, Wanted
from inventory.wanted import BUCKET_POLICY, IMPORTABLE

PROVIDER, FUNCTION, BUCKET, WEB_ACL = "AWS::IAM::OIDCProvider", "AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::WAFv2::WebACL"

WORDS: Mapping[str, str] = {
    BUCKET: "the bucket",
    BUCKET_POLICY: "the policy of the bucket",
    "AWS::DynamoDB::Table": "the table",
    "AWS::Logs::LogGroup": "the log group",
    FUNCTION: "the function",
    "AWS::IAM::Role": "the role",
    "AWS::IAM::ManagedPolicy": "the policy",
    PROVIDER: "the OpenID Connect provider of",
    "AWS::SNS::Topic": "the topic",
    "AWS::CloudWatch::Alarm": "the alarm",
    "AWS::CloudWatch::CompositeAlarm": "the alarm",
    "AWS::CloudWatch::Dashboard": "the dashboard",
    "AWS::CloudFront::Function": "the CloudFront function",
    "AWS::CloudFront::OriginAccessControl": "the origin access control",
    "AWS::CloudFront::ResponseHeadersPolicy": "the response headers policy",
    "AWS::CloudFront::CachePolicy": "the cache policy",
    "AWS::Logs::DeliverySource": "the delivery source",
    "AWS::Logs::DeliveryDestination": "the delivery destination",
    WEB_ACL: "the web ACL",
}


_KEYS: Mapping[str, str] = {
    "foundation.ArtifactBucket": "artifacts.bucket",
    "foundation.LockTable": "artifacts.lock_table",
    "site.Bucket": "bucket",
    "monitoring.AccessLogBucket": "bucket",
    "replica.Bucket": "disaster_recovery.bucket",
}
"""The environment file's key for a name that it gives; what is not here is named after the project."""


def _cloudfront(what: str, look: str, which: str) -> str:
    """CloudFront deletes only what is named with its present ETag."""
    return f'aws cloudfront delete-{what} {which} --if-match "$(aws cloudfront {look} {which} --query ETag --output text)"'


_DELETE: Mapping[str, str] = {
    "AWS::IAM::Role": "aws iam delete-role --role-name {name}",
    "AWS::IAM::ManagedPolicy": "aws iam delete-policy --policy-arn {id}",
    "AWS::SNS::Topic": "aws sns delete-topic --topic-arn {id} --region {region}",
    "AWS::CloudWatch::Alarm": "aws cloudwatch delete-alarms --alarm-names {name} --region {region}",
    "AWS::CloudWatch::CompositeAlarm": "aws cloudwatch delete-alarms --alarm-names {name} --region {region}",
    "AWS::CloudWatch::Dashboard": "aws cloudwatch delete-dashboards --dashboard-names {name} --region {region}",
    "AWS::Logs::DeliverySource": "aws logs delete-delivery-source --name {name} --region {region}",
    "AWS::Logs::DeliveryDestination": "aws logs delete-delivery-destination --name {name} --region {region}",
    "AWS::Logs::LogGroup": "aws logs delete-log-group --log-group-name {name} --region {region}",
    "AWS::CloudFront::Function": _cloudfront("function", "describe-function", "--name {name}"),
    "AWS::CloudFront::OriginAccessControl": _cloudfront("origin-access-control", "get-origin-access-control", "--id {id}"),
    "AWS::CloudFront::ResponseHeadersPolicy": _cloudfront("response-headers-policy", "get-response-headers-policy", "--id {id}"),
    "AWS::CloudFront::CachePolicy": _cloudfront("cache-policy", "get-cache-policy", "--id {id}"),
}
"""How what holds no data is taken out of the way."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for whom."""

    stack: str = ""
    """The stack that has it, which is not the one that wants it; empty if none is known to."""
    stack_region: str = ""
    kept_by_us: bool = False
    """A deleted stack of this name says in its events that it kept it."""
    holds_ours: bool = False
    """It holds this environment's releases or history."""


def mine(assembly: Assembly, tags: Mapping[str, str]) -> bool | None:
    """Whether tags name this environment (`environment` and `project`, which every stack gives its resources); None without such tags."""
    if "environment" not in tags or "project" not in tags:
        return None
    return (tags["project"], tags["environment"]) == (assembly.project, assembly.environment)


def judged(assembly: Assembly, want: Wanted, found: Found, evidence: Evidence, *, account_id: str, region: str, consent: bool) -> Verdict:
    """`consent`: the user said that what exists is to be taken over (--import-existing)."""
    case = _Case(assembly, want, found, evidence, account_id, region)
    if evidence.stack:
        return case.refused("another_stack", f"is made by the stack {evidence.stack} in {evidence.stack_region}", case.rename())
    ours = mine(assembly, found.tags)
    if ours is False:
        theirs = f"{found.tags['project']} {found.tags['environment']}"
        return case.refused("another_environment", f"belongs to {theirs}, by its tags", case.rename())
    owner: Owner = "this_environment" if ours or evidence.kept_by_us or evidence.holds_ours else "this_account"
    if want.resource_type in IMPORTABLE and want.kept and want.literal:
        if owner == "this_environment" or want.resource_type == "AWS::Logs::LogGroup" or consent:
            return case.taken_over(owner, ours=bool(ours))
        return case.refused(
            owner,
            "is there already, and nothing says that it is this environment's (no tags, no release, no history, no deleted stack); if it"
            " is, it can be taken over with all that it holds",
            deploy("plan", assembly.environment, "--import-existing"),
        )
    if want.resource_type == FUNCTION:
        return case.function(owner)
    return case.refused(owner, case.left_over(owner), case.out_of_the_way(owner))


@dataclass(frozen=True)
class _Case:
    assembly: Assembly
    want: Wanted
    found: Found
    evidence: Evidence
    account_id: str
    region: str

    @property
    def file(self) -> str:
        return f"environments/{self.assembly.environment}.yaml"

    @property
    def what(self) -> str:
        return f"{WORDS[self.want.resource_type]} {self.want.name.removeprefix('https://')}"

    def refused(self, owner: Owner, why: str, command: str) -> Verdict:
        message = f"{self.what}, which {self.want.logical_id} would make, {why}"
        return Verdict(wanted=self.want, fate="refused", owner=owner, physical_id=self.found.physical_id, message=message, command=command)

    def taken_over(self, owner: Owner, *, ours: bool) -> Verdict:
        because = (
            "its tags name this environment"
            if ours
            else "a deleted stack of this environment kept it"
            if self.evidence.kept_by_us
            else "it holds this environment's releases or history"
            if self.evidence.holds_ours
            else "it has the name of this environment's"
        )
        return Verdict(
            wanted=self.want,
            fate="taken_over",
            owner=owner,
            physical_id=self.found.physical_id,
            message=f"{self.what} is there already ({because}): it is taken over with all that it holds",
        )

    def rename(self) -> str:
        if self.want.resource_type == PROVIDER:
            return self.no_provider()
        key = _KEYS.get(f"{self.want.stack}.{self.want.logical_id}")
        if key:
            return f"edit {self.file}: another {key}, then build again"
        return f"another name for {self.want.logical_id} where stacks/ builds {self.want.stack}, or another project, then build again"

    def no_provider(self) -> str:
        return f"edit {self.file}: github.create_provider: false (an account has one such provider for all), then build again"

    def left_over(self, owner: Owner) -> str:
        if self.want.resource_type == PROVIDER:
            return f"is there already in account {self.account_id}, and an account has only one"
        if owner == "this_environment":
            return "is left from an earlier deployment of this environment and cannot be imported by its name"
        return f"is there already in account {self.account_id}; nothing says whose it is, and CloudFormation makes no second one"

    def out_of_the_way(self, owner: Owner) -> str:
        if self.want.resource_type == PROVIDER:
            return self.no_provider()
        if self.want.resource_type in (BUCKET_POLICY, WEB_ACL):
            return deploy("adopt", self.assembly.environment, "--plan")
        if self.want.resource_type not in _DELETE:
            return self.rename()
        delete = _DELETE[self.want.resource_type].format(name=self.want.name, id=self.found.physical_id, region=self.region)
        return delete if owner == "this_environment" else f"{self.rename()}\nor, if nobody needs it:\n{delete}"

    def function(self, owner: Owner) -> Verdict:
        if owner != "this_environment":
            return self.refused(owner, self.left_over(owner), self.rename())
        return self.refused(
            owner,
            "is left from an earlier deployment of this environment; Lambda deletes it some hours after the last distribution let go of it,"
            f" and destroy does that; where a distribution is to keep it until then, {self.file}: basic_auth.function_suffix makes another",
            deploy("destroy", self.assembly.environment),
        )
