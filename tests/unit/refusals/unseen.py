"""A second set of templates with one fault each, thought of when the rules were written, to see whether they know kinds or cases."""

from __future__ import annotations

from tests.unit.refusals.broken import DROP, but, composite, site, tiers, trust, widget
from tests.unit.refusals.valid import (
    ACCOUNT,
    ISSUER,
    OWNER,
    PUBLISH,
    READ,
    ZONE,
    Resources,
    alarm,
    allow,
    board,
    bucket,
    bucket_policy,
    certificate,
    delivery,
    graph,
    health,
    key,
    lifecycle,
    managed,
    maths,
    policy,
    record,
    resource,
    role,
    secret,
    subscription,
    table,
    topic,
    trusting,
    weighted,
)

UNSEEN: dict[str, Resources] = {
    "records: TXT over 4000": {"R": record("example.com", "TXT", *['"' + "x" * 250 + '"'] * 18)},
    "records: AAAA garbage": {"R": record("a.example.com", "AAAA", "2001:db8:::1")},
    "records: NS with IP": {"R": record("sub.example.com", "NS", "192.0.2.1")},
    "records: MX pointing to IP": {"R": record("example.com", "MX", "10 192.0.2.1")},
    "records: CNAME to URL": {"R": record("a.example.com", "CNAME", "https://b.example.com/")},
    "records: TTL missing": {
        "R": resource("Route53::RecordSet", HostedZoneId=ZONE, Name="a.example.com", Type="A", ResourceRecords=["192.0.2.1"])
    },
    "records: weight text": {"R": weighted("x", Weight="heavy")},
    "records: SetIdentifier 129": {"R": weighted("x" * 129, Weight=1)},
    "records: health check id of nothing": {"R": weighted("x", Weight=1, HealthCheckId="https://x")},
    "records: alias EvaluateTargetHealth cloudfront": {
        "R": record(
            "www.example.com",
            "A",
            AliasTarget={"DNSName": "d1.cloudfront.net", "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": True},
        )
    },
    "records: group with comment too long": {
        "G": resource(
            "Route53::RecordSetGroup",
            HostedZoneId=ZONE,
            Comment="c" * 300,
            RecordSets=[{"Name": "a.example.com", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]}],
        )
    },
    "records: group duplicates": {
        "G": resource(
            "Route53::RecordSetGroup",
            HostedZoneId=ZONE,
            RecordSets=[{"Name": "a.example.com", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]}] * 2,
        )
    },
    "records: geo proximity bias": {"R": weighted("x", GeoProximityLocation={"AWSRegion": "eu-west-1", "Bias": 100})},
    "records: geo proximity empty": {"R": weighted("x", GeoProximityLocation={"Bias": 10})},
    "records: cidr without location": {"R": weighted("x", CidrRoutingConfig={"CollectionId": "c"})},
    "records: zone name invalid": {"Z": resource("Route53::HostedZone", Name="exa mple.com")},
    "checks: IPv6 link local": health("HTTP", IPAddress="fe80::1"),
    "checks: resource path 300": health("HTTP", FullyQualifiedDomainName="x.example.com", ResourcePath="/" + "a" * 300),
    "checks: alarm without region": health("CLOUDWATCH_METRIC", AlarmIdentifier={"Name": "a"}),
    "checks: lowercase type": health("https", FullyQualifiedDomainName="x.example.com"),
    "checks: search 300": health("HTTP_STR_MATCH", FullyQualifiedDomainName="x.example.com", SearchString="x" * 300),
    "certificates: wildcard only": certificate("*.com"),
    "certificates: trailing hyphen": certificate("www-.example.com"),
    "certificates: option twice": certificate(
        "example.com", DomainValidationOptions=[{"DomainName": "example.com", "HostedZoneId": ZONE}] * 2
    ),
    "certificates: zone missing": certificate("example.com", DomainValidationOptions=[{"DomainName": "example.com"}]),
    "buckets: name 2": but("tiers", "Bucket/BucketName", "ab"),
    "buckets: trailing hyphen": but("tiers", "Bucket/BucketName", "abc-"),
    "buckets: versioning word": but("tiers", "Bucket/VersioningConfiguration/Status", "On"),
    "buckets: ownership word": {"Bucket": bucket(OwnershipControls={"Rules": [{"ObjectOwnership": "Owner"}]})},
    "buckets: two encryption rules": {
        "Bucket": bucket(
            BucketEncryption={"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}] * 2}
        )
    },
    "buckets: sse kms key bad": {
        "Bucket": bucket(
            BucketEncryption={"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "kms"}}]}
        )
    },
    "buckets: lifecycle status": lifecycle(ExpirationInDays=3, Status="On"),
    "buckets: storage class": tiers(("COLD", 30)),
    "buckets: transition no days": lifecycle(Transitions=[{"StorageClass": "GLACIER"}]),
    "buckets: transition both": lifecycle(
        Transitions=[{"StorageClass": "GLACIER", "TransitionInDays": 3, "TransitionDate": "2030-01-01T00:00:00Z"}]
    ),
    "buckets: negative days": lifecycle(ExpirationInDays=-1),
    "buckets: replica role is user": but("replication", "Bucket/ReplicationConfiguration/Role", f"arn:aws:iam::{ACCOUNT}:user/x"),
    "buckets: replication no rules": but("replication", "Bucket/ReplicationConfiguration/Rules", []),
    "buckets: website routing code": site(
        IndexDocument="i.html",
        RoutingRules=[{"RoutingRuleCondition": {"HttpErrorCodeReturnedEquals": "200"}, "RedirectRule": {"HostName": "x"}}],
    ),
    "buckets: website redirect protocol": site(RedirectAllRequestsTo={"HostName": "x", "Protocol": "ftp"}),
    "buckets: website host url": site(RedirectAllRequestsTo={"HostName": "https://x.example.com"}),
    "buckets: logging prefix no bucket acl": {"Bucket": bucket(LoggingConfiguration={"DestinationBucketName": "Other_Bucket"})},
    "buckets: notify filter name": but(
        "events", "Bucket/NotificationConfiguration/LambdaConfigurations/0/Filter/S3Key/Rules", [{"Name": "contains", "Value": "x"}]
    ),
    "buckets: notify filter twice": but(
        "events",
        "Bucket/NotificationConfiguration/LambdaConfigurations/0/Filter/S3Key/Rules",
        [{"Name": "prefix", "Value": "x"}, {"Name": "prefix", "Value": "y"}],
    ),
    "buckets: tags aws:": {"Bucket": bucket(Tags=[{"Key": "aws:x", "Value": "y"}])},
    "buckets: tag twice": {"Bucket": bucket(Tags=[{"Key": "x", "Value": "y"}, {"Key": "x", "Value": "z"}])},
    "buckets: 51 tags": {"Bucket": bucket(Tags=[{"Key": f"k{i}", "Value": "y"} for i in range(51)])},
    "buckets: acl and enforced": {
        "Bucket": bucket(AccessControl="LogDeliveryWrite", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    },
    "statements: policy of two buckets": {
        **bucket_policy(READ),
        "Policy2": resource("S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=policy(READ)),
    },
    "statements: notprincipal allow": bucket_policy(
        {**{k: v for k, v in READ.items() if k != "Principal"}, "NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    ),
    "statements: service list in AWS": bucket_policy({**READ, "Principal": {"AWS": "cloudfront.amazonaws.com"}}),
    "statements: condition value list empty": bucket_policy({**READ, "Condition": {"StringEquals": {"aws:SourceArn": []}}}),
    "statements: condition string": bucket_policy({**READ, "Condition": "aws:SourceArn"}),
    "statements: ForAllValues allow single": managed(
        allow("s3:ListAllMyBuckets", "*", Condition={"ForEachValue:StringEquals": {"aws:TagKeys": "a"}})
    ),
    "statements: Version number": {
        "Managed": resource("IAM::ManagedPolicy", PolicyDocument={**policy(allow("s3:ListAllMyBuckets", "*")), "Version": "2012-10-7"})
    },
    "statements: missing version ok? statement str": {
        "Managed": resource("IAM::ManagedPolicy", PolicyDocument={"Version": "2012-10-17", "Statement": "all"})
    },
    "statements: Resource number": managed(allow("s3:GetObject", 5)),
    "statements: wildcard in service": managed(allow("*:Get", "*")),
    "statements: partition cn": managed(allow("dynamodb:GetItem", f"arn:aws-cn:dynamodb:eu-west-1:{ACCOUNT}:table/orders")),
    "statements: lambda arn wrong region": managed(allow("lambda:InvokeFunction", f"arn:aws:lambda:eu-west:{ACCOUNT}:function:f")),
    "statements: policy too long": managed(
        allow(["dynamodb:GetItem"], [f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders-{i:0100}" for i in range(60)])
    ),
    "statements: s3 arn object action on arn with ***": managed(allow("s3:GetObject", "arn:aws:s3::example-data-bucket/*")),
    "roles: trust too long": role(
        AssumeRolePolicyDocument=policy(
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/{'x' * 60}{i}" for i in range(40)]},
                "Action": "sts:AssumeRole",
            }
        )
    ),
    "roles: deny NotAction": role(AssumeRolePolicyDocument=trusting(AWS="123")),
    "roles: saml wrong": trust(Action="sts:AssumeRoleWithSAML"),
    "roles: oidc sub missing": trust(Condition={"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}),
    "roles: oidc provider with scheme": trust(Principal={"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/https://{ISSUER}"}),
    "roles: role of 65": role(RoleName="r" * 65),
    "roles: 21 policies": role(ManagedPolicyArns=[f"arn:aws:iam::aws:policy/P{i}" for i in range(21)]),
    "roles: max session 900": role(MaxSessionDuration=900),
    "roles: boundary inline": role(PermissionsBoundary="AdministratorAccess"),
    "roles: provider no audience": but("a role for GitHub", "Provider/ClientIdList", [""]),
    "tables: three key": but(
        "an index",
        "Table/KeySchema",
        [
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
            {"AttributeName": "owner", "KeyType": "RANGE"},
        ],
    ),
    "tables: stream type": but("an index", "Table/StreamSpecification/StreamViewType", "ALL"),
    "tables: table class": table(TableClass="COLD"),
    "tables: name short": table(TableName="ab"),
    "tables: attribute twice": table(
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "id", "AttributeType": "N"}]
    ),
    "tables: projection type": but("an index", "Table/GlobalSecondaryIndexes/0/Projection/ProjectionType", "SOME"),
    "tables: billing word": table(BillingMode="ON_DEMAND"),
    "tables: sse type": but("an index", "Table/SSESpecification/SSEType", "AES"),
    "alarms: evaluation 0": alarm(EvaluationPeriods=0),
    "alarms: datapoints 0": alarm(DatapointsToAlarm=0),
    "alarms: unit": alarm(Unit="Requests"),
    "alarms: threshold text": alarm(Threshold="high"),
    "alarms: dims 31": alarm(Dimensions=[{"Name": f"n{i}", "Value": "v"} for i in range(31)], Namespace="Shop"),
    "alarms: dim no value": alarm(Dimensions=[{"Name": "n"}], Namespace="Shop"),
    "alarms: name 256": alarm(AlarmName="a" * 256),
    "alarms: desc": alarm(AlarmDescription="a" * 1025),
    "alarms: email action": alarm(AlarmActions=["ops@example.com"]),
    "alarms: tm pct": alarm(Statistic=None, ExtendedStatistic="p"),
    "alarms: treat": alarm(TreatMissingData="Missing"),
    "alarms: namespace colon": alarm(Namespace=":Shop", Dimensions=None),
    "alarms: query both period": maths(
        {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "S", "MetricName": "E"}, "Period": 61, "Stat": "Sum"}, "ReturnData": True}
    ),
    "alarms: metricstat no stat": maths(
        {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "S", "MetricName": "E"}, "Period": 60}, "ReturnData": True}
    ),
    "alarms: no comparison": alarm(ComparisonOperator=None),
    "alarms: ec2 action": alarm(AlarmActions=["arn:aws:automate:us-east-1:ec2:explode"]),
    "alarms: composite lower": composite("alarm(a)"),
    "alarms: composite actions": composite("ALARM(a)", AlarmActions=["x"]),
    "boards: not json": {"Board": resource("CloudWatch::Dashboard", DashboardBody="{]")},
    "boards: widgets object": {"Board": resource("CloudWatch::Dashboard", DashboardBody='{"widgets":{}}')},
    "boards: negative x": board(widget(x=-1)),
    "boards: width str": board(widget(width="12")),
    "boards: metrics missing": board({"type": "metric", "properties": {"region": "eu-west-1"}}),
    "boards: log region missing": board({"type": "log", "properties": {"query": "fields @x"}}),
    "boards: yaxis bad": board(graph(yAxis={"left": {"min": "low"}})),
    "boards: annotations value": board(graph(annotations={"horizontal": [{"label": "x"}]})),
    "boards: metric dims object": board(graph(metrics=[["AWS/Lambda", "Errors", {"FunctionName": "f"}]])),
    "boards: metric number": board(graph(metrics=[["AWS/Lambda", "Errors", "FunctionName", 5]])),
    "boards: stacked": board(graph(stacked="yes")),
    "boards: title number": board(graph(title=5)),
    "boards: explorer": board({"type": "explorer", "properties": {}}),
    "boards: log view": board({"type": "log", "properties": {"region": "eu-west-1", "query": "x", "view": "graph"}}),
    "topics: name 257": topic(TopicName="t" * 257),
    "topics: display 101": topic(DisplayName="d" * 101),
    "topics: sub no endpoint": subscription("email", None),
    "topics: email two": subscription("email", "a@b.com, c@d.com"),
    "topics: deliverypolicy on email": subscription("email", "a@b.com", DeliveryPolicy={"healthyRetryPolicy": {"numRetries": 3}}),
    "topics: filter nested": but("a queue", "Subscription/FilterPolicy", {"kind": [{"starts": "x"}]}),
    "topics: sqs cross arn type": subscription("sqs", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"),
    "topics: redrive no arn": but("a queue", "Subscription/RedrivePolicy", {"maxReceiveCount": 3}),
    "topics: policy wrong service": topic({**PUBLISH, "Principal": {"Service": "cloudwatch.amazon.com"}}),
    "topics: policy ref subscription": topic({**PUBLISH, "Action": "sns:publishes"}),
    "topics: kms arn": topic(KmsMasterKeyId="arn:aws:s3:::key"),
    "logs: group name 513": but("a log group", "Group/LogGroupName", "/" + "a" * 512),
    "logs: kms id only": but("a log group", "Group/KmsKeyId", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    "logs: class": but("a log group", "Group/LogGroupClass", "COLD"),
    "logs: dest name 61": but("logs to a bucket", "Destination/Name", "a" * 61),
    "logs: delimiter long": delivery(output="plain", FieldDelimiter="------"),
    "logs: source without type": but("logs to a bucket", "Source/LogType", DROP),
    "logs: source in another region": but("logs to a bucket", "Destination/DestinationResourceArn", "my-bucket"),
    "logs: suffix": delivery(S3SuffixPath="/{distribution_id}"),
    "logs: two sources same name": {**delivery(), "Source2": delivery()["Source"]},
    "keys: policy text": {"Key": resource("KMS::Key", KeyPolicy="{")},
    "keys: desc": key(Description="d" * 8193),
    "keys: origin": key(Origin="EXTERN"),
    "keys: usage word": key(KeyUsage="ENCRYPT"),
    "keys: window 31": key(PendingWindowInDays=31),
    "keys: only deny": key({**OWNER, "Effect": "Deny"}),
    "keys: rotation external": key(Origin="EXTERNAL", EnableKeyRotation=True),
    "keys: rotation 30": key(EnableKeyRotation=True, RotationPeriodInDays=30),
    "secrets: desc": secret(Description="d" * 2049),
    "secrets: name 513": secret(Name="n" * 513),
    "secrets: exclude": secret(GenerateSecretString={"ExcludeCharacters": "x" * 5000}),
    "secrets: replica region": secret(GenerateSecretString={"PasswordLength": 20}, ReplicaRegions=[{"Region": "europe"}]),
    "secrets: kms": secret(KmsKeyId="arn:aws:s3:::x", GenerateSecretString={"PasswordLength": 20}),
    "secrets: rotation 1001": {
        **secret(GenerateSecretString={"PasswordLength": 20}),
        "Rot": resource(
            "SecretsManager::RotationSchedule",
            SecretId={"Ref": "Secret"},
            RotationLambdaARN=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:r",
            RotationRules={"AutomaticallyAfterDays": 1001},
        ),
    },
    "stacks: capability": but("a stack set", "Set/Capabilities", ["CAPABILITY_ALL"]),
    "stacks: percent": but("a stack set", "Set/OperationPreferences", {"FailureTolerancePercentage": 101}),
    "stacks: account": but("a stack set", "Set/StackInstancesGroup/0/DeploymentTargets", {"Accounts": ["12345"]}),
    "stacks: ou": but(
        "a stack set of an organization", "Set/StackInstancesGroup/0/DeploymentTargets", {"OrganizationalUnitIds": ["sales"]}
    ),
    "stacks: region": but("a stack set", "Set/StackInstancesGroup/0/Regions", ["europe"]),
    "stacks: model": but("a stack set", "Set/PermissionModel", "SELF"),
}
