"""What holds for resources of every service: tags, and names that differ."""

from __future__ import annotations

from collections.abc import Iterator

from refusals.values import Deployment, Problem, Resource, once, refusal

NAMED = {
    "AWS::CloudFormation::StackSet": "StackSetName",
    "AWS::CloudFront::CachePolicy": "CachePolicyConfig.Name",
    "AWS::CloudFront::Function": "Name",
    "AWS::CloudFront::KeyGroup": "KeyGroupConfig.Name",
    "AWS::CloudFront::KeyValueStore": "Name",
    "AWS::CloudFront::MonitoringSubscription": "DistributionId",
    "AWS::CloudFront::OriginAccessControl": "OriginAccessControlConfig.Name",
    "AWS::CloudFront::OriginRequestPolicy": "OriginRequestPolicyConfig.Name",
    "AWS::CloudFront::PublicKey": "PublicKeyConfig.Name",
    "AWS::CloudFront::RealtimeLogConfig": "Name",
    "AWS::CloudFront::ResponseHeadersPolicy": "ResponseHeadersPolicyConfig.Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::OIDCProvider": "Url",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::Url": "TargetFunctionArn",
    "AWS::Logs::DeliveryDestination": "Name",
    "AWS::Logs::DeliverySource": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SecretsManager::Secret": "Name",
}
"""Type -> where its name stands, which an account, or the world, has once. A bucket has one policy, a qualifier of a
function one URL."""
TAGGED = (
    *(kind for kind in NAMED if kind != "AWS::S3::BucketPolicy"),
    "AWS::CertificateManager::Certificate",
    "AWS::CloudFront::Distribution",
    "AWS::Route53::HealthCheck",
)
_CONSTRAINTS = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"


@refusal("E9907", tuple(NAMED), "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html")
def named(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Two resources of a type have different names.

    The second is refused as existing already; alarms and composite alarms share their names.
    """
    name = resource.properties.at(*NAMED[resource.kind].split("."))
    if name.text is None or "${?}" in name.text:
        return
    for other in deployment.of(
        *(kind for kind, where in NAMED.items() if where == NAMED[resource.kind] == "AlarmName" or kind == resource.kind)
    ):
        same = other.properties.at(*NAMED[other.kind].split(".")).value == name.value
        # Of the types above only the URL of a function has one.
        if other.name < resource.name and same and other.properties.at("Qualifier").value == resource.properties.at("Qualifier").value:
            yield name.path, f"{name.value} is the name of {other.name} already"


@refusal("E9908", TAGGED, _CONSTRAINTS)
def tags(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """Tags are 50 at most, each key once, none of AWS's.

    Keys that begin with aws: are kept for AWS.
    """
    for name in ("Tags", "HealthCheckTags"):
        listed = resource.properties.items(name)
        if len(listed) > 50:
            yield resource.properties.at(name).path, f"{len(listed)} tags; AWS takes 50"
        yield from once((tag.at("Key") for tag in listed), "key")
        for tag in listed:
            if tag.at("Key").literal.lower().startswith("aws:"):
                yield tag.at("Key").path, "keys that begin with aws: are kept for AWS"


@refusal("E9909", "AWS::CloudFront::Distribution", "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistribution.html")
def aliases(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A name is the alias of one distribution.

    The second is refused (CNAMEAlreadyExists).
    """
    taken = {
        str(at.value).lower(): other.name
        for other in deployment.of(resource.kind)
        if other.name < resource.name
        for at in other.properties.items("DistributionConfig", "Aliases")
    }
    for at in resource.properties.items("DistributionConfig", "Aliases"):
        if at.text and "${?}" not in at.text and at.text.lower() in taken:
            yield at.path, f"{at.value} is an alias of {taken[at.text.lower()]} already"
