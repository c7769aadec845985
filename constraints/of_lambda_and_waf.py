"""Relations of Lambda's and WAF's resource types. Sources: the services' API references and developer guides."""

from __future__ import annotations

from constraints.relations import Check, Once, OneOf, Refers, Relation, Requires, When

_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/api/API_"
_WAF = "https://docs.aws.amazon.com/waf/latest/APIReference/API_"
_FUNCTION = "AWS::Lambda::Function"
_VERSION = "AWS::Lambda::Version"
_ALIAS = "AWS::Lambda::Alias"


def _relations(kind: str, source: str, *checks: tuple[str, Check]) -> tuple[Relation, ...]:
    return tuple(Relation(kind, at, check, source) for at, check in checks)


_OF_FUNCTION = {_FUNCTION: ("", "Arn"), _VERSION: ("", "FunctionArn"), _ALIAS: ("", "AliasArn")}

_FUNCTIONS = (
    *_relations(
        _FUNCTION,
        f"{_LAMBDA}CreateFunction.html",
        ("", When("PackageType", ("Image",), needs=("Code.ImageUri",), never=("Handler", "Runtime", "Layers"))),
        ("", When("PackageType", ("Zip",), needs=("Handler", "Runtime"), never=("Code.ImageUri", "ImageConfig"), absent=True)),
        ("Code", OneOf(("ZipFile", "S3Bucket", "ImageUri"))),
        ("Code", Requires("S3Bucket", ("S3Key",))),
        ("Code", Requires("S3Key", ("S3Bucket",))),
        ("Code", Requires("S3ObjectVersion", ("S3Key",))),
        ("VpcConfig", Requires("SubnetIds", ("SecurityGroupIds",))),
        ("VpcConfig", Requires("SecurityGroupIds", ("SubnetIds",))),
        ("", Requires("FileSystemConfigs", ("VpcConfig",))),
        ("", Once("Layers.*")),
        (
            "",
            When(
                "SnapStart.ApplyOn",
                ("PublishedVersions",),
                never=("FileSystemConfigs", "ImageConfig"),
                then=(("EphemeralStorage.Size", ("512", "")),),
            ),
        ),
        ("", Refers("Role", {"AWS::IAM::Role": ("Arn",)})),
        ("DeadLetterConfig", Refers("TargetArn", {"AWS::SQS::Queue": ("Arn",), "AWS::SNS::Topic": ("", "TopicArn")})),
        ("LoggingConfig", Refers("LogGroup", {"AWS::Logs::LogGroup": ("",)})),
        ("Code", Refers("S3Bucket", {"AWS::S3::Bucket": ("",)})),
    ),
    *_relations(_VERSION, f"{_LAMBDA}PublishVersion.html", ("", Refers("FunctionName", {_FUNCTION: ("", "Arn")}))),
    *_relations(
        _ALIAS,
        f"{_LAMBDA}CreateAlias.html",
        ("", Refers("FunctionName", {_FUNCTION: ("", "Arn")})),
        ("", Refers("FunctionVersion", {_VERSION: ("Version",)})),
        ("", When("FunctionVersion", ("$LATEST",), never=("ProvisionedConcurrencyConfig", "RoutingConfig"))),
    ),
    *_relations(
        "AWS::Lambda::Permission",
        f"{_LAMBDA}AddPermission.html",
        ("", Refers("FunctionName", _OF_FUNCTION)),
        ("", When("Action", ("lambda:InvokeFunction",), never=("FunctionUrlAuthType",))),
    ),
    *_relations(
        "AWS::Lambda::Url",
        f"{_LAMBDA}CreateFunctionUrlConfig.html",
        ("", Refers("TargetFunctionArn", {_FUNCTION: ("", "Arn"), _ALIAS: ("", "AliasArn")})),
    ),
    *_relations(
        "AWS::Lambda::EventSourceMapping",
        f"{_LAMBDA}CreateEventSourceMapping.html",
        ("", OneOf(("EventSourceArn", "SelfManagedEventSource"))),
        ("", Refers("FunctionName", _OF_FUNCTION)),
        ("", When("StartingPosition", ("AT_TIMESTAMP",), needs=("StartingPositionTimestamp",))),
        ("", When("StartingPosition", ("LATEST", "TRIM_HORIZON"), never=("StartingPositionTimestamp",))),
    ),
    *_relations(
        "AWS::Lambda::EventInvokeConfig", f"{_LAMBDA}PutFunctionEventInvokeConfig.html", ("", Refers("FunctionName", {_FUNCTION: ("",)}))
    ),
)


_OWN_STATEMENTS = (
    "AndStatement",
    "AsnMatchStatement",
    "ByteMatchStatement",
    "GeoMatchStatement",
    "IPSetReferenceStatement",
    "LabelMatchStatement",
    "NotStatement",
    "OrStatement",
    "RateBasedStatement",
    "RegexMatchStatement",
    "RegexPatternSetReferenceStatement",
    "SizeConstraintStatement",
    "SqliMatchStatement",
    "XssMatchStatement",
)
_GROUPS = ("ManagedRuleGroupStatement", "RuleGroupReferenceStatement")


def _rules(kind: str, *more: tuple[str, Check]) -> tuple[Relation, ...]:
    return _relations(
        kind,
        f"{_WAF}Rule.html",
        ("", Once("Rules.*.Priority")),
        ("", Once("Rules.*.Name")),
        *(("Rules.*", Requires(f"Statement.{name}", ("Action",))) for name in _OWN_STATEMENTS),
        ("Rules.*.Action", OneOf(("Allow", "Block", "Captcha", "Challenge", "Count"))),
        ("Rules.*.Statement", Refers("IPSetReferenceStatement.Arn", {"AWS::WAFv2::IPSet": ("Arn",)})),
        ("Rules.*.Statement", Refers("RegexPatternSetReferenceStatement.Arn", {"AWS::WAFv2::RegexPatternSet": ("Arn",)})),
        ("Rules.*.Statement.RateBasedStatement", When("AggregateKeyType", ("FORWARDED_IP",), needs=("ForwardedIPConfig",))),
        ("Rules.*.Statement.RateBasedStatement", When("AggregateKeyType", ("CUSTOM_KEYS",), needs=("CustomKeys",))),
        ("Rules.*.Statement.RateBasedStatement", When("AggregateKeyType", ("CONSTANT",), needs=("ScopeDownStatement",))),
        ("Rules.*.Statement.ByteMatchStatement", OneOf(("SearchString", "SearchStringBase64"))),
        ("Rules.*.Statement.ByteMatchStatement", Once("TextTransformations.*.Priority")),
        *more,
    )


_WEB_ACLS = (
    *_rules(
        "AWS::WAFv2::WebACL",
        ("Rules.*.Statement", OneOf((*_OWN_STATEMENTS, *_GROUPS))),
        ("Rules.*", OneOf(("Action", "OverrideAction"))),
        ("Rules.*.OverrideAction", OneOf(("Count", "None"))),
        *(("Rules.*", Requires(f"Statement.{name}", ("OverrideAction",))) for name in _GROUPS),
        ("Rules.*.Statement", Refers("RuleGroupReferenceStatement.Arn", {"AWS::WAFv2::RuleGroup": ("Arn",)})),
    ),
    *_relations("AWS::WAFv2::WebACL", f"{_WAF}DefaultAction.html", ("DefaultAction", OneOf(("Allow", "Block")))),
    *_rules("AWS::WAFv2::RuleGroup", ("Rules.*.Statement", OneOf(_OWN_STATEMENTS))),
    *_relations(
        "AWS::WAFv2::WebACLAssociation",
        f"{_WAF}AssociateWebACL.html",
        ("", Refers("WebACLArn", {"AWS::WAFv2::WebACL": ("Arn",)})),
        (
            "",
            Refers(
                "ResourceArn",
                {
                    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("", "LoadBalancerArn"),
                    "AWS::AppSync::GraphQLApi": ("Arn", ""),
                    "AWS::Cognito::UserPool": ("Arn",),
                    "AWS::ApiGateway::Stage": (),
                },
            ),
        ),
    ),
    *_relations(
        "AWS::WAFv2::LoggingConfiguration",
        f"{_WAF}LoggingConfiguration.html",
        ("", Refers("ResourceArn", {"AWS::WAFv2::WebACL": ("Arn",)})),
    ),
)

RELATIONS = (*_FUNCTIONS, *_WEB_ACLS)
