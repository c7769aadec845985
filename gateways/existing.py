"""What stands in an account already, by the name that a template would give it.

In: a resource type, a name. Out: `Found` (its physical id, and its tags where the service tells them), or None. Raises `aws.errors`:
`AccessDenied` also for a bucket of somebody else.
Never: changes anything; decides whose it is.

Sources: API references of the services; provider schemas for what the physical id (Ref) of each type is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import field as at

from aws.answers import Answer, Tags, answers, read
from aws.errors import AwsError, NotFound

if TYPE_CHECKING:
    from aws.session import Aws

Client = Callable[[str], Any]
"""Client of a service, by its name."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One resource that is there."""

    physical_id: str
    """As CloudFormation has it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    tagged: bool = True
    """False: the service has no tags for it, or did not tell them."""


class _Tagged(Answer, frozen=True, kw_only=True):
    tags: Tags = at(default_factory=dict)


class _Mapped(Answer, frozen=True, kw_only=True):
    tags: dict[str, str] = at(default_factory=dict)
    in_small: dict[str, str] = at(name="tags", default_factory=dict)


class _Group(Answer, frozen=True, kw_only=True):
    name: str = at(name="logGroupName")


class _Groups(Answer, frozen=True, kw_only=True):
    groups: tuple[_Group, ...] = at(name="logGroups", default=())


class _Acl(Answer, frozen=True, kw_only=True):
    name: str
    id: str
    arn: str = at(name="ARN")


class _Acls(Answer, frozen=True, kw_only=True):
    acls: tuple[_Acl, ...] = at(name="WebACLs", default=())


class _Items(Answer, frozen=True, kw_only=True):
    items: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class ExistingResources:
    """One account and region; the services that are one for all regions are asked where they live."""

    client: Client
    account_id: str
    region: str

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> ExistingResources:
        """As `Aws.client`; each service's client is made when it is needed."""

        def client(service: str) -> Any:
            at = "us-east-1" if service in ("iam", "cloudfront", "route53", "wafv2") else region
            return aws.client(service, account_id=account_id, region=at, role_arn=role_arn)

        return cls(client, account_id, region)

    def find(self, resource_type: str, name: str) -> Found | None:
        """The resource of that type and name; None if there is none. ValueError for a type that this module does not know."""
        lookup = LOOKUPS.get(resource_type)
        if lookup is None:
            raise ValueError(f"{resource_type} is not a type that can be looked up")
        try:
            return lookup(self, name)
        except NotFound:
            return None

    def arn(self, service: str, rest: str, *, region: bool = True) -> str:
        """An ARN of this place."""
        return f"arn:aws:{service}:{self.region if region else ''}:{self.account_id}:{rest}"

    def with_tags(self, physical_id: str, tags: Callable[[], dict[str, str]]) -> Found:
        """What is there counts even where its tags are not told."""
        try:
            return Found(physical_id=physical_id, tags=tags())
        except AwsError:
            return Found(physical_id=physical_id, tagged=False)


def _bucket(place: ExistingResources, name: str) -> Found:
    client = place.client("s3")
    client.head_bucket(Bucket=name, ExpectedBucketOwner=place.account_id)

    def tags() -> dict[str, str]:
        try:
            return read(client.get_bucket_tagging(Bucket=name, ExpectedBucketOwner=place.account_id), Tags, "TagSet")
        except NotFound:
            # NoSuchTagSet.
            return {}

    return place.with_tags(name, tags)


def _bucket_policy(place: ExistingResources, bucket: str) -> Found:
    place.client("s3").get_bucket_policy(Bucket=bucket, ExpectedBucketOwner=place.account_id)
    return Found(physical_id=bucket, tagged=False)


def _table(place: ExistingResources, name: str) -> Found:
    client = place.client("dynamodb")
    arn = read(client.describe_table(TableName=name), str, "Table.TableArn")
    return place.with_tags(name, lambda: read(client.list_tags_of_resource(ResourceArn=arn), _Tagged).tags)


def _log_group(place: ExistingResources, name: str) -> Found | None:
    client = place.client("logs")
    # Of those that begin so the shortest comes first.
    groups = read(client.describe_log_groups(logGroupNamePrefix=name, limit=1), _Groups).groups
    if not any(each.name == name for each in groups):
        return None
    arn = place.arn("logs", f"log-group:{name}")
    return place.with_tags(name, lambda: read(client.list_tags_for_resource(resourceArn=arn), _Mapped).in_small)


def _function(place: ExistingResources, name: str) -> Found:
    answer = place.client("lambda").get_function(FunctionName=name)
    return Found(physical_id=name, tags=read(answer, _Mapped).tags)


def _role(place: ExistingResources, name: str) -> Found:
    answer = place.client("iam").get_role(RoleName=name)
    return Found(physical_id=name, tags=read(answer, _Tagged, "Role").tags)


def _policy(place: ExistingResources, name: str) -> Found:
    arn = place.arn("iam", f"policy/{name}", region=False)
    answer = place.client("iam").get_policy(PolicyArn=arn)
    return Found(physical_id=arn, tags=read(answer, _Tagged, "Policy").tags)


def _provider(place: ExistingResources, url: str) -> Found:
    arn = place.arn("iam", f"oidc-provider/{url.partition('://')[2].rstrip('/')}", region=False)
    answer = place.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return Found(physical_id=arn, tags=read(answer, _Tagged).tags)


def _topic(place: ExistingResources, name: str) -> Found:
    client, arn = place.client("sns"), place.arn("sns", name)
    client.get_topic_attributes(TopicArn=arn)
    return place.with_tags(arn, lambda: read(client.list_tags_for_resource(ResourceArn=arn), _Tagged).tags)


def _alarm(kind: str) -> Callable[[ExistingResources, str], Found | None]:
    def lookup(place: ExistingResources, name: str) -> Found | None:
        client = place.client("cloudwatch")
        answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=[f"{kind}Alarm"])
        if not read(answer, tuple[dict[str, Any], ...], f"{kind}Alarms"):
            return None
        arn = place.arn("cloudwatch", f"alarm:{name}")
        return place.with_tags(name, lambda: read(client.list_tags_for_resource(ResourceARN=arn), _Tagged).tags)

    return lookup


def _dashboard(place: ExistingResources, name: str) -> Found:
    place.client("cloudwatch").get_dashboard(DashboardName=name)
    return Found(physical_id=name, tagged=False)


def _edge_function(place: ExistingResources, name: str) -> Found:
    summary = place.client("cloudfront").describe_function(Name=name, Stage="DEVELOPMENT")
    return Found(physical_id=read(summary, str, "FunctionSummary.FunctionMetadata.FunctionARN"), tagged=False)


def _listed(operation: str, where: str, name_at: str, id_at: str, **arguments: Any) -> Callable[[ExistingResources, str], Found | None]:
    """CloudFront has no look-up by name for these; its lists are short, as quotas of twenty to a hundred hold."""

    def lookup(place: ExistingResources, name: str) -> Found | None:
        call = getattr(place.client("cloudfront"), operation)
        for page in answers(call, tokens={"Marker": f"{where}.NextMarker"}, **arguments):
            for each in read(page, _Items, where).items:
                if read(each, str, name_at) == name:
                    return Found(physical_id=read(each, str, id_at), tagged=False)
        return None

    return lookup


def _delivery(operation: str, where: str) -> Callable[[ExistingResources, str], Found]:
    def lookup(place: ExistingResources, name: str) -> Found:
        answer = getattr(place.client("logs"), operation)(name=name)
        return Found(physical_id=name, tags=read(answer, _Mapped, where).in_small)

    return lookup


def _web_acl(place: ExistingResources, name: str) -> Found | None:
    """Of those for CloudFront (scope CLOUDFRONT, us-east-1). AWS WAF has no look-up by name."""
    client = place.client("wafv2")
    pages = answers(client.list_web_acls, tokens={"NextMarker": "NextMarker"}, Scope="CLOUDFRONT")
    found = next((acl for page in pages for acl in read(page, _Acls).acls if acl.name == name), None)
    if found is None:
        return None
    arn = found.arn
    return place.with_tags(
        f"{name}|{found.id}|CLOUDFRONT", lambda: read(client.list_tags_for_resource(ResourceARN=arn), Tags, "TagInfoForResource.TagList")
    )


LOOKUPS: Mapping[str, Callable[[ExistingResources, str], Found | None]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::DynamoDB::Table": _table,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Lambda::Function": _function,
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _policy,
    "AWS::IAM::OIDCProvider": _provider,
    "AWS::SNS::Topic": _topic,
    "AWS::CloudWatch::Alarm": _alarm("Metric"),
    "AWS::CloudWatch::CompositeAlarm": _alarm("Composite"),
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::CloudFront::Function": _edge_function,
    "AWS::CloudFront::OriginAccessControl": _listed("list_origin_access_controls", "OriginAccessControlList", "Name", "Id"),
    "AWS::CloudFront::ResponseHeadersPolicy": _listed(
        "list_response_headers_policies",
        "ResponseHeadersPolicyList",
        "ResponseHeadersPolicy.ResponseHeadersPolicyConfig.Name",
        "ResponseHeadersPolicy.Id",
        Type="custom",
    ),
    "AWS::CloudFront::CachePolicy": _listed(
        "list_cache_policies", "CachePolicyList", "CachePolicy.CachePolicyConfig.Name", "CachePolicy.Id", Type="custom"
    ),
    "AWS::Logs::DeliverySource": _delivery("get_delivery_source", "deliverySource"),
    "AWS::Logs::DeliveryDestination": _delivery("get_delivery_destination", "deliveryDestination"),
    "AWS::WAFv2::WebACL": _web_acl,
}
"""Type to its look-up. The name is what stands at the place that `NAMES` gives, for a provider its URL."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::OIDCProvider": ("Url",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::CloudFront::Function": ("Name",),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig", "Name"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig", "Name"),
    "AWS::CloudFront::CachePolicy": ("CachePolicyConfig", "Name"),
    "AWS::Logs::DeliverySource": ("Name",),
    "AWS::Logs::DeliveryDestination": ("Name",),
    "AWS::WAFv2::WebACL": ("Name",),
}
"""Type to where its name stands in a template's properties."""
