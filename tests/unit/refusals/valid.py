"""Minimal templates that each service takes, in the manner of AWS's own samples and written anew: no rule finds anything in them."""

from __future__ import annotations

from typing import Any

Resources = dict[str, Any]

ACCOUNT = "123456789012"
ZONE = "Z0123456789ABCDEFGHIJ"
ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = None, **more: Any) -> dict[str, Any]:
    named = {} if resource is None else {"Resource": resource}
    return {"Effect": "Allow", "Action": action, **named, **more}


def record(name: str, kind: str, *values: str, **more: Any) -> dict[str, Any]:
    answers = {"ResourceRecords": list(values), "TTL": "300"} if values else {}
    return resource("Route53::RecordSet", Name=name, Type=kind, **{"HostedZoneId": ZONE, **answers, **more})


def weighted(name: str, **more: Any) -> dict[str, Any]:
    return record("api.example.com", "A", "192.0.2.1", SetIdentifier=name, **more)


def health(kind: str, **config: Any) -> Resources:
    return {"Check": resource("Route53::HealthCheck", HealthCheckConfig={"Type": kind, **config})}


def certificate(*names: str, **more: Any) -> Resources:
    options = [{"DomainName": name, "HostedZoneId": ZONE} for name in names if not name.startswith("*")]
    given = {"DomainName": names[0], "ValidationMethod": "DNS", "DomainValidationOptions": options, **more}
    return {"Certificate": resource("CertificateManager::Certificate", SubjectAlternativeNames=list(names[1:]), **given)}


def bucket(**more: Any) -> dict[str, Any]:
    return resource("S3::Bucket", BucketName="example-data-bucket", **more)


def lifecycle(**rule: Any) -> Resources:
    return {
        "Bucket": bucket(VersioningConfiguration={"Status": "Enabled"}, LifecycleConfiguration={"Rules": [{"Status": "Enabled", **rule}]})
    }


def bucket_policy(*statements: dict[str, Any]) -> Resources:
    return {"Bucket": bucket(), "Policy": resource("S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=policy(*statements))}


def trusting(**principal: Any) -> dict[str, Any]:
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def role(**more: Any) -> Resources:
    return {"Role": resource("IAM::Role", **{"AssumeRolePolicyDocument": trusting(Service="lambda.amazonaws.com"), **more})}


def managed(*statements: dict[str, Any]) -> Resources:
    return {"Managed": resource("IAM::ManagedPolicy", PolicyDocument=policy(*statements))}


def table(**more: Any) -> Resources:
    keys = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    return {"Table": resource("DynamoDB::Table", **{**keys, **more})}


def alarm(**more: Any) -> Resources:
    given = {
        "Namespace": "AWS/CloudFront",
        "MetricName": "5xxErrorRate",
        "Dimensions": [{"Name": "DistributionId", "Value": "E123"}, {"Name": "Region", "Value": "Global"}],
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [TOPIC],
    }
    return {"Alarm": resource("CloudWatch::Alarm", **{key: value for key, value in {**given, **more}.items() if value is not None})}


def metric(id: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "Id": id,
        "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": 60, "Stat": "Sum"},
        "ReturnData": False,
        **more,
    }


def maths(*queries: dict[str, Any], **more: Any) -> Resources:
    nothing = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period", "AlarmActions"))
    return alarm(**nothing, Metrics=list(queries), **more)


def board(*widgets: dict[str, Any], **more: Any) -> Resources:
    import json

    return {"Board": resource("CloudWatch::Dashboard", DashboardName="shop", DashboardBody=json.dumps({"widgets": list(widgets), **more}))}


def graph(**more: Any) -> dict[str, Any]:
    properties = {"metrics": [["AWS/Lambda", "Errors", "FunctionName", "f", {"stat": "Sum"}]], "region": "eu-west-1", "period": 300}
    return {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {**properties, **more}}


def topic(*statements: dict[str, Any], **more: Any) -> Resources:
    found = {"Topic": resource("SNS::Topic", **more)}
    if statements:
        found["TopicPolicy"] = resource("SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=policy(*statements))
    return found


def subscription(protocol: str, endpoint: Any, **more: Any) -> Resources:
    return {
        **topic(),
        "Subscription": resource("SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol=protocol, Endpoint=endpoint, **more),
    }


def delivery(destination: Any = "arn:aws:s3:::example-logs/site", output: str = "json", **more: Any) -> Resources:
    given = {"DeliverySourceName": {"Ref": "Source"}, "DeliveryDestinationArn": {"Fn::GetAtt": ["Destination", "Arn"]}}
    distribution = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E123"
    return {
        "Source": resource("Logs::DeliverySource", Name="site", LogType="ACCESS_LOGS", ResourceArn=distribution),
        "Destination": resource("Logs::DeliveryDestination", Name="bucket", DestinationResourceArn=destination, OutputFormat=output),
        "Delivery": resource("Logs::Delivery", **{**given, **more}),
    }


def key(*statements: dict[str, Any], **more: Any) -> Resources:
    return {"Key": resource("KMS::Key", KeyPolicy=policy(*(statements or (OWNER,))), **more)}


def secret(**more: Any) -> Resources:
    return {"Secret": resource("SecretsManager::Secret", **more)}


def stack_set(**more: Any) -> Resources:
    given = {
        "StackSetName": "roles",
        "PermissionModel": "SELF_MANAGED",
        "TemplateURL": "https://example-data-bucket.s3.amazonaws.com/t.json",
    }
    return {"Set": resource("CloudFormation::StackSet", **{**given, **more})}


OWNER = allow("kms:*", "*", Principal={"AWS": ROOT})
ISSUER = "token.actions.githubusercontent.com"
SUBJECT = {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": "repo:octo/shop:environment:prod"}}
PUBLISH = allow(
    "sns:Publish",
    {"Ref": "Topic"},
    Principal={"Service": "cloudwatch.amazonaws.com"},
    Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
)
READ = allow(
    "s3:GetObject",
    {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"},
    Principal={"Service": "cloudfront.amazonaws.com"},
    Condition={"StringEquals": {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E123"}},
)
REPLICATION: dict[str, Any] = {
    "Role": f"arn:aws:iam::{ACCOUNT}:role/replication",
    "Rules": [
        {
            "Id": "all",
            "Status": "Enabled",
            "Priority": 1,
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Enabled"},
            "Destination": {"Bucket": "arn:aws:s3:::example-replica", "StorageClass": "STANDARD_IA"},
        }
    ],
}
GENERATED = {"SecretStringTemplate": '{"username": "admin"}', "GenerateStringKey": "password", "PasswordLength": 30}
BAND = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True}

VALID: dict[str, Resources] = {
    "a record of two addresses": {"R": record("www.example.com", "A", "192.0.2.1", "192.0.2.2")},
    "an alias by zone name": {
        "R": resource(
            "Route53::RecordSet",
            HostedZoneName="example.com.",
            Name="example.com.",
            Type="A",
            AliasTarget={"DNSName": "d111111abcdef8.cloudfront.net", "HostedZoneId": "Z2FDTNDATAQYW2"},
        )
    },
    "an alias of a load balancer": {
        "R": record(
            "lb.example.com",
            "A",
            AliasTarget={"DNSName": "my-lb-1.eu-west-1.elb.amazonaws.com", "HostedZoneId": "Z32O12XQLNTSW2", "EvaluateTargetHealth": True},
        )
    },
    "an alias of a website bucket": {
        "R": record("www.example.com", "A", AliasTarget={"DNSName": "s3-website-us-east-1.amazonaws.com", "HostedZoneId": "Z3AQBSTGFYJSTF"})
    },
    "weighted records": {"A": weighted("one", Weight=3), "B": weighted("two", Weight=0)},
    "geographic records": {
        "A": weighted("everywhere else", GeoLocation={"CountryCode": "*"}),
        "B": weighted("europe", GeoLocation={"ContinentCode": "EU"}),
        "C": weighted("california", GeoLocation={"CountryCode": "US", "SubdivisionCode": "CA"}),
    },
    "latency records": {"A": weighted("ireland", Region="eu-west-1"), "B": weighted("virginia", Region="us-east-1")},
    "a failover pair": {
        **health("HTTPS", FullyQualifiedDomainName="origin.example.com", RequestInterval=30, FailureThreshold=3),
        "A": weighted("first", Failover="PRIMARY", HealthCheckId={"Ref": "Check"}),
        "B": weighted("second", Failover="SECONDARY"),
    },
    "several answers": {"A": weighted("one", MultiValueAnswer=True), "B": weighted("two", MultiValueAnswer=True)},
    "mail records": {
        "Mx": record("example.com", "MX", "10 mail1.example.com", "20 mail2.example.com"),
        "Spf": record("example.com", "TXT", '"v=spf1 include:amazonses.com -all"'),
        "Caa": record("example.com", "CAA", '0 issue "amazon.com"'),
        "Dkim": record("k1._domainkey.example.com", "CNAME", "k1.dkim.amazonses.com"),
    },
    "records of a new zone": {
        "Zone": resource("Route53::HostedZone", Name="example.org"),
        "R": record("a.example.org", "CNAME", "b.example.org", HostedZoneId={"Ref": "Zone"}),
    },
    "a health check by string": health(
        "HTTPS_STR_MATCH",
        FullyQualifiedDomainName="x.example.com",
        Port=443,
        SearchString="ok",
        ResourcePath="/health?deep=1",
        Regions=["us-east-1", "eu-west-1", "us-west-2"],
    ),
    "a calculated health check": health("CALCULATED", ChildHealthChecks=["a0000000-0000-0000-0000-000000000001"], HealthThreshold=1),
    "a health check of an alarm": health(
        "CLOUDWATCH_METRIC", AlarmIdentifier={"Name": "errors", "Region": "us-east-1"}, InsufficientDataHealthStatus="LastKnownStatus"
    ),
    "a health check of an address": health("TCP", IPAddress="192.0.2.44", Port=5432),
    "a certificate": certificate("example.com", "*.example.com", "www.example.org"),
    "a certificate without a zone": {"C": resource("CertificateManager::Certificate", DomainName="example.com", ValidationMethod="DNS")},
    "tiers": lifecycle(
        Id="tiers",
        Prefix="logs/",
        Transitions=[{"StorageClass": "STANDARD_IA", "TransitionInDays": 30}, {"StorageClass": "GLACIER", "TransitionInDays": 90}],
        ExpirationInDays=365,
        NoncurrentVersionTransitions=[{"StorageClass": "GLACIER", "TransitionInDays": 30}],
        NoncurrentVersionExpiration={"NoncurrentDays": 90, "NewerNoncurrentVersions": 3},
    ),
    "clean up": lifecycle(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}, ExpiredObjectDeleteMarker=True),
    "replication": {"Bucket": bucket(VersioningConfiguration={"Status": "Enabled"}, ReplicationConfiguration=REPLICATION)},
    "replication with tags and time": {
        "Bucket": bucket(
            VersioningConfiguration={"Status": "Enabled"},
            ReplicationConfiguration={
                **REPLICATION,
                "Rules": [
                    {
                        **REPLICATION["Rules"][0],
                        "DeleteMarkerReplication": {"Status": "Disabled"},
                        "Filter": {"TagFilter": {"Key": "copy", "Value": "yes"}},
                        "Destination": {
                            "Bucket": "arn:aws:s3:::example-replica",
                            "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
                            "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
                        },
                    }
                ],
            },
        )
    },
    "a website": {"Bucket": bucket(WebsiteConfiguration={"IndexDocument": "index.html", "ErrorDocument": "error.html"})},
    "a redirect": {"Bucket": bucket(WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "www.example.com", "Protocol": "https"}})},
    "cross origin": {
        "Bucket": bucket(
            CorsConfiguration={
                "CorsRules": [
                    {
                        "Id": "get",
                        "AllowedMethods": ["GET", "HEAD"],
                        "AllowedOrigins": ["https://*.example.com"],
                        "AllowedHeaders": ["*"],
                        "MaxAge": 3000,
                    }
                ]
            }
        )
    },
    "an object lock": {
        "Bucket": bucket(
            ObjectLockEnabled=True,
            VersioningConfiguration={"Status": "Enabled"},
            ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}},
        )
    },
    "a key for a bucket": {
        "Bucket": bucket(
            BucketEncryption={
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/aws/s3"},
                    }
                ]
            }
        )
    },
    "events": {
        "Bucket": bucket(
            NotificationConfiguration={
                "LambdaConfigurations": [
                    {
                        "Event": "s3:ObjectCreated:*",
                        "Function": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
                        "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".jpg"}]}},
                    }
                ],
                "TopicConfigurations": [{"Event": "s3:ObjectRemoved:*", "Topic": TOPIC}],
            }
        )
    },
    "a bucket for CloudFront": bucket_policy(READ),
    "a bucket that another account lists": bucket_policy(
        allow(
            ["s3:ListBucket", "s3:GetObject"],
            [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
            Principal={"AWS": "arn:aws:iam::210987654321:root"},
        )
    ),
    "a bucket that wants TLS": bucket_policy(
        {
            "Sid": "Tls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": 1.2}},
        }
    ),
    "a role for a function": role(
        RoleName="worker",
        Path="/service/",
        MaxSessionDuration=3600,
        ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
        Policies=[{"PolicyName": "read", "PolicyDocument": policy(allow(["s3:GetObject"], "arn:aws:s3:::example-data-bucket/*"))}],
    ),
    "a role for GitHub": {
        "Provider": resource("IAM::OIDCProvider", Url=f"https://{ISSUER}", ClientIdList=["sts.amazonaws.com"]),
        **role(
            AssumeRolePolicyDocument=policy(
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": {"Ref": "Provider"}},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": SUBJECT,
                }
            )
        ),
    },
    "a role for another account": role(
        AssumeRolePolicyDocument=policy(
            {
                "Effect": "Allow",
                "Principal": {"AWS": ROOT},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
            }
        )
    ),
    "a managed policy": managed(
        allow(["dynamodb:GetItem", "dynamodb:Query"], f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"),
        allow("s3:ListAllMyBuckets", "*"),
        {
            "Effect": "Deny",
            "NotAction": "iam:*",
            "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]},
                "DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
            },
        },
        allow(
            "s3:GetObject",
            "arn:aws:s3:::example-data-bucket/${aws:username}/*",
            Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}},
        ),
        allow("ec2:StartInstances", f"arn:aws:ec2:*:{ACCOUNT}:instance/*", Condition={"ForAnyValue:StringLike": {"aws:TagKeys": "team*"}}),
    ),
    "an index": table(
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "at", "owner")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-owner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["at2"]},
            }
        ],
        TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
        SSESpecification={"SSEEnabled": True, "SSEType": "KMS"},
    ),
    "a provisioned table": table(BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}),
    "an alarm": alarm(TreatMissingData="notBreaching"),
    "an alarm of a percentile": alarm(
        Namespace="Shop",
        MetricName="Latency",
        Dimensions=None,
        Statistic=None,
        ExtendedStatistic="p99.9",
        EvaluateLowSampleCountPercentile="ignore",
        Period=10,
    ),
    "an alarm of a week": alarm(Namespace="Shop", Dimensions=None, Period=86400, EvaluationPeriods=7, DatapointsToAlarm=7),
    "an alarm of two metrics": maths(
        metric("m1", "Errors"), metric("m2", "Requests"), {"Id": "rate", "Expression": "100*m1/m2", "ReturnData": True}
    ),
    "an alarm of a band": maths(
        metric("m1", "Requests", ReturnData=True),
        BAND,
        Threshold=None,
        ThresholdMetricId="band",
        ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
    ),
    "a composite alarm": {
        **alarm(AlarmName="errors"),
        "All": resource(
            "CloudWatch::CompositeAlarm",
            AlarmName="all",
            AlarmRule='(ALARM(errors) OR ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:other")) AND NOT OK(third) AND TRUE',
            ActionsSuppressor="maintenance",
            ActionsSuppressorWaitPeriod=60,
            ActionsSuppressorExtensionPeriod=60,
        ),
    },
    "a dashboard": board(
        graph(view="timeSeries", stacked=False, title="Errors", yAxis={"left": {"min": 0}}),
        graph(
            metrics=[[{"expression": "m1*2", "id": "e1"}], ["Shop", "Orders", {"id": "m1", "visible": False}], [".", "Sales"]], stat="p90"
        ),
        {"type": "text", "width": 24, "height": 1, "properties": {"markdown": "# Shop"}},
        {
            "type": "log",
            "x": 12,
            "y": 6,
            "width": 12,
            "height": 6,
            "properties": {"region": "eu-west-1", "query": "SOURCE 'a' | fields @message", "view": "table"},
        },
        {"type": "alarm", "properties": {"alarms": [f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:errors"]}},
        start="-PT3H",
    ),
    "a topic of alarms": topic(PUBLISH, DisplayName="Alerts"),
    "an ordered topic": topic(TopicName="orders.fifo", FifoTopic=True, ContentBasedDeduplication=True),
    "mail": subscription("email", "ops@example.com"),
    "a queue": subscription(
        "sqs",
        f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs",
        RawMessageDelivery=True,
        FilterPolicy={"kind": ["order"]},
        RedrivePolicy={"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"},
    ),
    "a web hook": subscription("https", "https://hooks.example.com/sns"),
    "logs of a source that is named after its distribution": {
        **delivery(),
        "Source": resource(
            "Logs::DeliverySource",
            Name={"Fn::Sub": "site-${AWS::Region}"},
            LogType="ACCESS_LOGS",
            ResourceArn=f"arn:aws:cloudfront::{ACCOUNT}:distribution/E123",
        ),
    },
    "logs to a bucket": delivery(S3SuffixPath="/{DistributionId}/{yyyy}/{MM}/{dd}/{HH}", RecordFields=["date", "time"]),
    "logs to a group": delivery(f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/site", "plain", FieldDelimiter=" "),
    "a log group": {
        "Group": resource(
            "Logs::LogGroup", LogGroupName="/aws/lambda/worker", RetentionInDays=30, KmsKeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
        )
    },
    "a key": {**key(EnableKeyRotation=True), "Alias": resource("KMS::Alias", AliasName="alias/site", TargetKeyId={"Ref": "Key"})},
    "a key for logs": key(
        OWNER,
        allow(
            ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*"],
            "*",
            Principal={"Service": "logs.us-east-1.amazonaws.com"},
            Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:*"}},
        ),
    ),
    "a key that signs": key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"),
    "a generated secret": secret(Name="site/admin", GenerateSecretString=GENERATED, ReplicaRegions=[{"Region": "eu-west-1"}]),
    "a rotated secret": {
        **secret(GenerateSecretString={"PasswordLength": 20}),
        "Rotation": resource(
            "SecretsManager::RotationSchedule",
            SecretId={"Ref": "Secret"},
            RotationLambdaARN=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:rotate",
            RotationRules={"ScheduleExpression": "rate(10 days)", "Duration": "3h"},
        ),
    },
    "a stack set": stack_set(
        AdministrationRoleARN=f"arn:aws:iam::{ACCOUNT}:role/admin",
        ExecutionRoleName="execution",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        OperationPreferences={"FailureToleranceCount": 1, "MaxConcurrentCount": 2},
        StackInstancesGroup=[{"DeploymentTargets": {"Accounts": [ACCOUNT]}, "Regions": ["eu-west-1"]}],
    ),
    "a stack set of an organization": stack_set(
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        StackInstancesGroup=[{"DeploymentTargets": {"OrganizationalUnitIds": ["ou-abcd-12345678"]}, "Regions": ["eu-west-1"]}],
    ),
    "a nested stack": {
        "Nested": resource("CloudFormation::Stack", TemplateURL="https://s3.amazonaws.com/example-data-bucket/t.json", TimeoutInMinutes=30)
    },
}
