"""Templates with one fault each, made from a valid one: what the service refuses, or takes and never does what is meant."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.unit.refusals.valid import (
    ACCOUNT,
    BAND,
    GENERATED,
    ISSUER,
    OWNER,
    PUBLISH,
    READ,
    REPLICATION,
    SUBJECT,
    TOPIC,
    VALID,
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
    metric,
    policy,
    record,
    resource,
    role,
    secret,
    stack_set,
    subscription,
    table,
    topic,
    trusting,
    weighted,
)

DROP = object()


def but(name: str, path: str, value: Any) -> Resources:
    """A valid template with another value at a slash-separated path; DROP takes it away."""
    resources = copy.deepcopy(VALID[name])
    logical_id, *way, last = path.split("/")
    node: Any = resources[logical_id]["Properties"]
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    if value is DROP:
        del node[last]
    else:
        node[int(last) if isinstance(node, list) else last] = value
    return resources


def alias(name: str, zone: str, kind: str = "A", **more: Any) -> Resources:
    return {"R": record("www.example.com", kind, AliasTarget={"DNSName": name, "HostedZoneId": zone}, **more)}


def replicated(**rule: Any) -> Resources:
    first = {**REPLICATION["Rules"][0], **rule}
    return {"Bucket": bucket(VersioningConfiguration={"Status": "Enabled"}, ReplicationConfiguration={**REPLICATION, "Rules": [first]})}


def tiers(*steps: tuple[str, int], **more: Any) -> Resources:
    return lifecycle(Transitions=[{"StorageClass": name, "TransitionInDays": days} for name, days in steps], **more)


def trust(**more: Any) -> Resources:
    federated = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
    given = {"Effect": "Allow", "Principal": federated, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": SUBJECT, **more}
    return role(AssumeRolePolicyDocument=policy({name: value for name, value in given.items() if value is not None}))


def cors(**rule: Any) -> Resources:
    return {"Bucket": bucket(CorsConfiguration={"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], **rule}]})}


def site(**website: Any) -> Resources:
    return {"Bucket": bucket(WebsiteConfiguration=website)}


def composite(rule: str, **more: Any) -> Resources:
    return {"All": resource("CloudWatch::CompositeAlarm", AlarmName="all", AlarmRule=rule, **more)}


def widget(**more: Any) -> dict[str, Any]:
    return {**graph(), **more}


RECORDS: dict[str, Resources] = {
    "a name for an address": {"R": record("a.example.com", "A", "b.example.com")},
    "an address of the other kind": {"R": record("a.example.com", "AAAA", "192.0.2.1")},
    "two canonical names": {"R": record("a.example.com", "CNAME", "b.example.com", "c.example.com")},
    "a mail record without a priority": {"R": record("example.com", "MX", "mail.example.com")},
    "text without quotes": {"R": record("example.com", "TXT", "v=spf1 -all")},
    "a text of 300 characters": {"R": record("example.com", "TXT", '"' + "x" * 300 + '"')},
    "a CAA record without a tag": {"R": record("example.com", "CAA", '0 "amazon.com"')},
    "a service record of three fields": {"R": record("_sip._tcp.example.com", "SRV", "10 60 sip.example.com")},
    "an answer twice": {"R": record("a.example.com", "A", "192.0.2.1", "192.0.2.1")},
    "a negative time to live": {"R": record("a.example.com", "A", "192.0.2.1", TTL="-1")},
    "a time to live in words": {"R": record("a.example.com", "A", "192.0.2.1", TTL="5m")},
    "a canonical name beside an address": {
        "A": record("a.example.com", "A", "192.0.2.1"),
        "B": record("a.example.com", "CNAME", "b.example.com"),
    },
    "a canonical name of the zone": {
        "R": resource(
            "Route53::RecordSet",
            HostedZoneName="example.com.",
            Name="example.com",
            Type="CNAME",
            TTL="60",
            ResourceRecords=["b.example.org"],
        )
    },
    "two ways to name the zone": {"R": record("a.example.com", "A", "192.0.2.1", HostedZoneName="example.com.")},
    "no zone": but("a record of two addresses", "R/HostedZoneId", DROP),
    "a zone name without its dot": but("an alias by zone name", "R/HostedZoneName", "example.com"),
    "a name outside its zone": but("an alias by zone name", "R/Name", "example.org."),
    "a name outside a zone of the template": but("records of a new zone", "R/Name", "a.example.com"),
    "a label of 64": {"R": record("a" * 64 + ".example.com", "A", "192.0.2.1")},
    "a name of 256": {"R": record(".".join(["a" * 60] * 5) + ".example.com", "A", "192.0.2.1")},
    "an empty label": {"R": record("a..example.com", "A", "192.0.2.1")},
    "a name with a scheme": {"R": record("https://a.example.com", "A", "192.0.2.1")},
    "a weight without an identifier": {"R": record("a.example.com", "A", "192.0.2.1", Weight=1)},
    "an identifier without a policy": {"R": record("a.example.com", "A", "192.0.2.1", SetIdentifier="one")},
    "two policies": {"R": weighted("one", Weight=1, Region="eu-west-1")},
    "a weight of 256": {"R": weighted("one", Weight=256)},
    "the same identifier twice": {"A": weighted("one", Weight=1), "B": weighted("one", Weight=2)},
    "a simple record beside a weighted one": {"A": weighted("one", Weight=1), "B": record("api.example.com", "A", "192.0.2.2")},
    "weight beside latency": {"A": weighted("one", Weight=1), "B": weighted("two", Region="eu-west-1")},
    "the same region twice": {"A": weighted("one", Region="eu-west-1"), "B": weighted("two", Region="eu-west-1")},
    "the same place twice": {
        "A": weighted("one", GeoLocation={"CountryCode": "DE"}),
        "B": weighted("two", GeoLocation={"CountryCode": "DE"}),
    },
    "two primaries": but("a failover pair", "B/Failover", "PRIMARY"),
    "a primary without a check": but("a failover pair", "A/HealthCheckId", DROP),
    "a region that is none": {"R": weighted("one", Region="eu-west-9")},
    "continent and country": {"R": weighted("one", GeoLocation={"ContinentCode": "EU", "CountryCode": "DE"})},
    "a state without a country": {"R": weighted("one", GeoLocation={"SubdivisionCode": "CA"})},
    "a continent that is none": {"R": weighted("one", GeoLocation={"ContinentCode": "XX"})},
    "several answers as an alias": alias("d1.cloudfront.net", "Z2FDTNDATAQYW2", SetIdentifier="one", MultiValueAnswer=True),
    "several answers of a canonical name": {
        "R": record("a.example.com", "CNAME", "b.example.com", SetIdentifier="one", MultiValueAnswer=True)
    },
    "CloudFront's zone for a load balancer": alias("lb-1.eu-west-1.elb.amazonaws.com", "Z2FDTNDATAQYW2"),
    "a load balancer's zone of another region": alias("lb-1.eu-west-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K"),
    "a website's zone of another region": alias("s3-website-eu-west-1.amazonaws.com", "Z3AQBSTGFYJSTF"),
    "an alias of a bucket": alias("my-bucket.s3.amazonaws.com", "Z3AQBSTGFYJSTF"),
    "an alias of a website bucket's own name": alias("www.example.com.s3-website-us-east-1.amazonaws.com", "Z3AQBSTGFYJSTF"),
    "an alias with a scheme": alias("https://d1.cloudfront.net", "Z2FDTNDATAQYW2"),
    "an alias of itself": alias("www.example.com", ZONE),
    "an alias that is a canonical name": alias("lb-1.eu-west-1.elb.amazonaws.com", "Z32O12XQLNTSW2", "CNAME"),
    "an alias target without a zone": {"R": record("www.example.com", "A", AliasTarget={"DNSName": "d1.cloudfront.net"})},
}
CHECKS: dict[str, Resources] = {
    "a check of nothing": health("HTTPS"),
    "a check by TCP without a port": health("TCP", IPAddress="192.0.2.44"),
    "a check of a private address": health("HTTP", IPAddress="10.0.0.1"),
    "a check of a loopback address": health("HTTP", IPAddress="127.0.0.1"),
    "a check of a name as address": health("HTTP", IPAddress="x.example.com"),
    "a check of an URL": health("HTTPS", FullyQualifiedDomainName="https://x.example.com/"),
    "a check every 20 seconds": health("HTTPS", FullyQualifiedDomainName="x.example.com", RequestInterval=20),
    "a check after 11 failures": health("HTTPS", FullyQualifiedDomainName="x.example.com", FailureThreshold=11),
    "a check from two regions": health("HTTPS", FullyQualifiedDomainName="x.example.com", Regions=["us-east-1", "eu-west-1"]),
    "a check from a region without checkers": health(
        "HTTPS", FullyQualifiedDomainName="x.example.com", Regions=["us-east-1", "eu-west-1", "eu-north-1"]
    ),
    "a check that needs more children than it has": health(
        "CALCULATED", ChildHealthChecks=["a0000000-0000-0000-0000-000000000001"], HealthThreshold=2
    ),
    "a calculated check without children": health("CALCULATED", HealthThreshold=1),
    "what a missing alarm means for an endpoint": health(
        "HTTPS", FullyQualifiedDomainName="x.example.com", InsufficientDataHealthStatus="Healthy"
    ),
    "an interval of an alarm's check": health(
        "CLOUDWATCH_METRIC", AlarmIdentifier={"Name": "a", "Region": "us-east-1"}, RequestInterval=30
    ),
    "latency of a calculated check": health("CALCULATED", ChildHealthChecks=["a0000000-0000-0000-0000-000000000001"], MeasureLatency=True),
    "a search for nothing": health("HTTP_STR_MATCH", FullyQualifiedDomainName="x.example.com", SearchString=""),
    "a port of 70000": health("HTTPS", FullyQualifiedDomainName="x.example.com", Port=70000),
}
CERTIFICATES: dict[str, Resources] = {
    "a wildcard in the middle": certificate("a.*.example.com"),
    "a wildcard of a part": certificate("a*.example.com"),
    "an address": certificate("192.0.2.1"),
    "a scheme": certificate("https://example.com"),
    "an underscore": certificate("my_site.example.com"),
    "a single label": certificate("localhost"),
    "both ways of validation": certificate(
        "example.com", DomainValidationOptions=[{"DomainName": "example.com", "HostedZoneId": ZONE, "ValidationDomain": "example.com"}]
    ),
    "the domain of e-mail with DNS": certificate(
        "a.example.com", DomainValidationOptions=[{"DomainName": "a.example.com", "ValidationDomain": "example.com"}]
    ),
    "a name in the zone of another": {
        "Zone": resource("Route53::HostedZone", Name="example.org"),
        **certificate("www.example.com", DomainValidationOptions=[{"DomainName": "www.example.com", "HostedZoneId": {"Ref": "Zone"}}]),
    },
    "a key that ACM does not make": certificate("example.com", KeyAlgorithm="RSA_1024"),
    "transparency in words": certificate("example.com", CertificateTransparencyLoggingPreference="OFF"),
    "an authority and validation": certificate(
        "example.com", CertificateAuthorityArn=f"arn:aws:acm-pca:us-east-1:{ACCOUNT}:certificate-authority/a"
    ),
    "a name twice": certificate("example.com", "www.example.com", "www.example.com"),
    "twelve names": certificate("example.com", *(f"a{i}.example.com" for i in range(11))),
}
BUCKETS: dict[str, Resources] = {
    "capitals in a name": but("tiers", "Bucket/BucketName", "Example-Data"),
    "an address as name": but("tiers", "Bucket/BucketName", "192.168.5.4"),
    "a reserved prefix": but("tiers", "Bucket/BucketName", "xn--example"),
    "a reserved suffix": but("tiers", "Bucket/BucketName", "example-s3alias"),
    "two dots": but("tiers", "Bucket/BucketName", "example..data"),
    "replication without versions": but("replication", "Bucket/VersioningConfiguration", DROP),
    "replication with versions suspended": but("replication", "Bucket/VersioningConfiguration/Status", "Suspended"),
    "replication into itself": replicated(Destination={"Bucket": "arn:aws:s3:::example-data-bucket"}),
    "replication to a name": replicated(Destination={"Bucket": "example-replica"}),
    "a filter without delete markers": replicated(DeleteMarkerReplication=None),
    "delete markers by tag": replicated(Filter={"TagFilter": {"Key": "a", "Value": "b"}}),
    "a filter without a priority": replicated(Priority=None),
    "prefix and filter": replicated(Prefix="a/"),
    "replication time without metrics": replicated(
        Destination={"Bucket": "arn:aws:s3:::example-replica", "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}}}
    ),
    "replication time of 30 minutes": but(
        "replication with tags and time", "Bucket/ReplicationConfiguration/Rules/0/Destination/ReplicationTime/Time/Minutes", 30
    ),
    "a replica key without its selection": replicated(
        Destination={
            "Bucket": "arn:aws:s3:::example-replica",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/a"},
        }
    ),
    "another owner without an account": replicated(
        Destination={"Bucket": "arn:aws:s3:::example-replica", "AccessControlTranslation": {"Owner": "Destination"}}
    ),
    "the same priority twice": {
        "Bucket": bucket(
            VersioningConfiguration={"Status": "Enabled"},
            ReplicationConfiguration={**REPLICATION, "Rules": [REPLICATION["Rules"][0], {**REPLICATION["Rules"][0], "Id": "two"}]},
        )
    },
    "a lifecycle rule that does nothing": lifecycle(Prefix="a/"),
    "an expiration by days and date": lifecycle(ExpirationInDays=1, ExpirationDate="2030-01-01T00:00:00Z"),
    "a delete marker by days": lifecycle(ExpirationInDays=1, ExpiredObjectDeleteMarker=True),
    "a delete marker by tag": lifecycle(ExpiredObjectDeleteMarker=True, TagFilters=[{"Key": "a", "Value": "b"}]),
    "unfinished uploads by tag": lifecycle(
        AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}, TagFilters=[{"Key": "a", "Value": "b"}]
    ),
    "infrequent access after ten days": tiers(("STANDARD_IA", 10)),
    "gone before it moves": tiers(("GLACIER", 90), ExpirationInDays=60),
    "tiers in the wrong order": tiers(("GLACIER", 40), ("STANDARD_IA", 90)),
    "tiers on one day": tiers(("STANDARD_IA", 30), ("GLACIER", 30)),
    "a tier twice": tiers(("GLACIER", 30), ("GLACIER", 60)),
    "an expiration after no days": lifecycle(ExpirationInDays=0),
    "a date that is no midnight": lifecycle(ExpirationDate="2030-01-01T10:00:00Z"),
    "a date and days": lifecycle(ExpirationDate="2030-01-01T00:00:00Z", Transitions=[{"StorageClass": "GLACIER", "TransitionInDays": 1}]),
    "a rule id twice": {
        "Bucket": bucket(
            LifecycleConfiguration={"Rules": [{"Id": "a", "Status": "Enabled", "ExpirationInDays": 1, "Prefix": p} for p in ("a/", "b/")]}
        )
    },
    "101 newer versions": lifecycle(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}),
    "old versions gone before they move": lifecycle(
        NoncurrentVersionTransitions=[{"StorageClass": "GLACIER", "TransitionInDays": 60}],
        NoncurrentVersionExpiration={"NoncurrentDays": 30},
    ),
    "sizes that exclude each other": lifecycle(ExpirationInDays=1, ObjectSizeGreaterThan="1000", ObjectSizeLessThan="500"),
    "a key with S3's own encryption": but(
        "a key for a bucket",
        "Bucket/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
        "AES256",
    ),
    "a redirect and pages": site(IndexDocument="index.html", RedirectAllRequestsTo={"HostName": "www.example.com"}),
    "an index document with a slash": site(IndexDocument="a/index.html"),
    "an error page alone": site(ErrorDocument="error.html"),
    "a redirect in two ways": site(
        IndexDocument="index.html", RoutingRules=[{"RedirectRule": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]
    ),
    "a method that CORS does not know": cors(AllowedMethods=["OPTIONS"]),
    "two wildcards in an origin": cors(AllowedOrigins=["https://*.example.*"]),
    "two wildcards in a header": cors(AllowedHeaders=["x-*-*"]),
    "a wildcard among exposed headers": cors(ExposedHeaders=["x-*"]),
    "a lock that is not enabled": but("an object lock", "Bucket/ObjectLockEnabled", DROP),
    "days and years of a lock": but("an object lock", "Bucket/ObjectLockConfiguration/Rule/DefaultRetention/Years", 1),
    "a lock without a time": but("an object lock", "Bucket/ObjectLockConfiguration/Rule/DefaultRetention/Days", DROP),
    "logs of a bucket in itself": but("tiers", "Bucket/LoggingConfiguration", {"DestinationBucketName": "example-data-bucket"}),
    "two functions for one event": but(
        "events",
        "Bucket/NotificationConfiguration/LambdaConfigurations",
        [
            {"Event": event, "Function": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"}
            for event in ("s3:ObjectCreated:*", "s3:ObjectCreated:Put")
        ],
    ),
    "an event that is none": but("events", "Bucket/NotificationConfiguration/TopicConfigurations/0/Event", "s3:ObjectDeleted:*"),
    "a topic as function": but("events", "Bucket/NotificationConfiguration/LambdaConfigurations/0/Function", TOPIC),
    "acceleration of a name with dots": {
        "Bucket": resource("S3::Bucket", BucketName="data.example.com", AccelerateConfiguration={"AccelerationStatus": "Enabled"})
    },
    "an archive after 30 days": {
        "Bucket": bucket(
            IntelligentTieringConfigurations=[{"Id": "a", "Status": "Enabled", "Tierings": [{"AccessTier": "ARCHIVE_ACCESS", "Days": 30}]}]
        )
    },
}
STATEMENTS: dict[str, Resources] = {
    "a bucket policy without principal": bucket_policy({k: v for k, v in READ.items() if k != "Principal"}),
    "a bucket policy of another service": bucket_policy({**READ, "Action": "ec2:StartInstances"}),
    "an action that S3 does not have": bucket_policy({**READ, "Action": "s3:GetObjects"}),
    "objects of a bucket's action": bucket_policy({**READ, "Action": "s3:ListBucket"}),
    "the bucket for an action on objects": bucket_policy({**READ, "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]}}),
    "a service that is misspelt": bucket_policy({**READ, "Principal": {"Service": "cloudfront.aws.com"}}),
    "a kind of principal that is none": bucket_policy({**READ, "Principal": {"Services": "cloudfront.amazonaws.com"}}),
    "a principal that is a name": bucket_policy({**READ, "Principal": {"AWS": "some-user"}}),
    "a principal of eleven digits": bucket_policy({**READ, "Principal": {"AWS": "arn:aws:iam::12345678901:root"}}),
    "a principal with a wildcard": bucket_policy({**READ, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}}),
    "a canonical user of the old identity": bucket_policy({**READ, "Principal": {"CanonicalUser": "E1ABCDEF"}}),
    "a bucket's ARN with a region": bucket_policy({**READ, "Resource": "arn:aws:s3:us-east-1::example-data-bucket/*"}),
    "everybody shut out": bucket_policy(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
        }
    ),
    "an operator that is none": bucket_policy({**READ, "Condition": {"StringEqual": {"aws:SourceAccount": ACCOUNT}}}),
    "an address that is none": bucket_policy({**READ, "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/33"}}}),
    "a global key that is none": bucket_policy({**READ, "Condition": {"StringEquals": {"aws:SourceAccounts": ACCOUNT}}}),
    "a key that S3 does not have": bucket_policy({**READ, "Condition": {"StringEquals": {"s3:prefixes": "a/"}}}),
    "an account of eleven digits": bucket_policy({**READ, "Condition": {"StringEquals": {"aws:SourceAccount": "12345678901"}}}),
    "a yes that is none": bucket_policy({**READ, "Condition": {"Bool": {"aws:SecureTransport": "yes"}}}),
    "an ARN compared as a number": bucket_policy(
        {**READ, "Condition": {"NumericEquals": {"aws:SourceArn": "arn:aws:cloudfront::1:distribution/E1"}}}
    ),
    "a wildcard under StringEquals": bucket_policy(
        {**READ, "Condition": {"StringEquals": {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/*"}}}
    ),
    "an effect in small letters": managed({"Effect": "allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}),
    "a statement without effect": managed({"Action": "s3:ListAllMyBuckets", "Resource": "*"}),
    "a statement without action": managed({"Effect": "Deny", "Resource": "*"}),
    "actions and all others": managed({"Effect": "Deny", "Action": "s3:GetObject", "NotAction": "s3:PutObject", "Resource": "*"}),
    "a statement without resource": managed(allow("s3:ListAllMyBuckets")),
    "a principal in an identity policy": managed(allow("s3:ListAllMyBuckets", "*", Principal="*")),
    "an action without service": managed(allow("GetObject", "arn:aws:s3:::example-data-bucket/*")),
    "an action of a service that is none": managed(allow("s4:GetObject", "arn:aws:s3:::example-data-bucket/*")),
    "an action that is misspelt": managed(allow("dynamodb:GetItems", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders")),
    "a version that is none": {
        "Managed": resource("IAM::ManagedPolicy", PolicyDocument={**policy(allow("s3:ListAllMyBuckets", "*")), "Version": "2012-10-18"})
    },
    "variables in the old version": {
        "Managed": resource(
            "IAM::ManagedPolicy",
            PolicyDocument={"Version": "2008-10-17", "Statement": [allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*")]},
        )
    },
    "no statement": {"Managed": resource("IAM::ManagedPolicy", PolicyDocument={"Version": "2012-10-17", "Statement": []})},
    "a statement id with a hyphen": managed({"Sid": "read-all", **allow("s3:ListAllMyBuckets", "*")}),
    "a statement id twice": managed(*[{"Sid": "Read", **allow("s3:ListAllMyBuckets", "*")}] * 2),
    "an unknown element": managed({**allow("s3:ListAllMyBuckets", "*"), "Conditions": {}}),
    "a resource that is no ARN": managed(allow("s3:GetObject", "example-data-bucket/*")),
    "a resource with the account left out": managed(allow("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1::table/orders")),
    "a role's ARN with a region": managed(allow("iam:GetRole", f"arn:aws:iam:us-east-1:{ACCOUNT}:role/a")),
    "an ARN of five parts": managed(allow("dynamodb:GetItem", f"arn:aws:dynamodb:{ACCOUNT}:table/orders")),
    "a partition that is none": managed(allow("dynamodb:GetItem", f"arn:amazon:dynamodb:eu-west-1:{ACCOUNT}:table/orders")),
    "a date that is none": managed(allow("s3:ListAllMyBuckets", "*", Condition={"DateGreaterThan": {"aws:CurrentTime": "tomorrow"}})),
    "Null with a text": managed(allow("s3:ListAllMyBuckets", "*", Condition={"Null": {"aws:PrincipalTag/a": "maybe"}})),
    "a set operator that is none": managed(allow("s3:ListAllMyBuckets", "*", Condition={"ForAny:StringEquals": {"aws:TagKeys": "a"}})),
    "IfExists of Null": managed(allow("s3:ListAllMyBuckets", "*", Condition={"NullIfExists": {"aws:PrincipalTag/a": "true"}})),
    "a condition that is a list": managed(allow("s3:ListAllMyBuckets", "*", Condition=[{"Bool": {"aws:SecureTransport": "true"}}])),
}
ROLES: dict[str, Resources] = {
    "a trust without principal": role(AssumeRolePolicyDocument=policy({"Effect": "Allow", "Action": "sts:AssumeRole"})),
    "a trust with a resource": role(
        AssumeRolePolicyDocument=policy({**trusting(Service="lambda.amazonaws.com")["Statement"][0], "Resource": "*"})
    ),
    "a trust of another action": trust(Action="s3:GetObject"),
    "a trust of the wrong call": trust(Action="sts:AssumeRole"),
    "a web identity that is a service": trust(Principal={"Service": "lambda.amazonaws.com"}),
    "a web identity for an account": trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
    "a service that is none": role(AssumeRolePolicyDocument=trusting(Service="lambda.amazon.com")),
    "a service without its domain": role(AssumeRolePolicyDocument=trusting(Service="lambda")),
    "a condition of another issuer": trust(
        Condition={"StringEquals": {"oidc.example.com:aud": "sts.amazonaws.com", "oidc.example.com:sub": "repo:o/r:ref:refs/heads/main"}}
    ),
    "nobody is trusted": role(AssumeRolePolicyDocument=trusting(Service=[])),
    "a session of 13 hours": role(MaxSessionDuration=46800),
    "a path without its slash": role(Path="service"),
    "a role name with a space": role(RoleName="my role"),
    "a policy that is a name": role(ManagedPolicyArns=["AWSLambdaBasicExecutionRole"]),
    "a policy's ARN without the account": role(ManagedPolicyArns=["arn:aws:iam::policy/service-role/AWSLambdaBasicExecutionRole"]),
    "a role as policy": role(ManagedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:role/a"]),
    "a policy attached twice": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"] * 2),
    "a boundary that is a role": role(PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:role/a"),
    "a policy name twice": role(Policies=[{"PolicyName": "a", "PolicyDocument": policy(allow("s3:ListAllMyBuckets", "*"))}] * 2),
    "an issuer without https": but("a role for GitHub", "Provider/Url", f"http://{ISSUER}"),
    "an issuer with a query": but("a role for GitHub", "Provider/Url", f"https://{ISSUER}?a=b"),
    "a thumbprint of 39": but("a role for GitHub", "Provider/ThumbprintList", ["a" * 39]),
    "a policy for nobody": {"P": resource("IAM::Policy", PolicyName="p", PolicyDocument=policy(allow("s3:ListAllMyBuckets", "*")))},
    "a description with a control character": role(Description="a\x07b"),
}
TABLES: dict[str, Resources] = {
    "an attribute that no key uses": table(
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "other")]
    ),
    "a key without its attribute": table(KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}]),
    "a range key alone": table(KeySchema=[{"AttributeName": "id", "KeyType": "RANGE"}]),
    "two hash keys": but("an index", "Table/KeySchema/1/KeyType", "HASH"),
    "a type of attribute that is none": table(AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "STRING"}]),
    "throughput on request": table(ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}),
    "no throughput": table(BillingMode="PROVISIONED"),
    "no billing and no throughput": {
        "Table": resource("DynamoDB::Table", **{k: v for k, v in table()["Table"]["Properties"].items() if k != "BillingMode"})
    },
    "an index twice": but(
        "an index", "Table/GlobalSecondaryIndexes", VALID["an index"]["Table"]["Properties"]["GlobalSecondaryIndexes"] * 2
    ),
    "attributes of a whole projection": but("an index", "Table/GlobalSecondaryIndexes/0/Projection/ProjectionType", "ALL"),
    "a projection without attributes": but("an index", "Table/GlobalSecondaryIndexes/0/Projection/NonKeyAttributes", DROP),
    "throughput of an index on request": but(
        "an index", "Table/GlobalSecondaryIndexes/0/ProvisionedThroughput", {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    ),
    "a local index with another hash": but(
        "an index",
        "Table/LocalSecondaryIndexes",
        [
            {
                "IndexName": "l",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    ),
    "a key without KMS": but("an index", "Table/SSESpecification", {"SSEEnabled": False, "KMSMasterKeyId": "alias/a"}),
    "recovery days without recovery": table(
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False, "RecoveryPeriodInDays": 7}
    ),
    "36 recovery days": table(PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 36}),
    "a table name with a slash": table(TableName="a/b"),
    "time to live without an attribute": table(TimeToLiveSpecification={"Enabled": True}),
    "no capacity": but("a provisioned table", "Table/ProvisionedThroughput/ReadCapacityUnits", 0),
}
ALARMS: dict[str, Resources] = {
    "a period of 45 seconds": alarm(Period=45),
    "more than a day": alarm(Period=300, EvaluationPeriods=300, DatapointsToAlarm=2),
    "more than a week": alarm(Period=86400, EvaluationPeriods=8),
    "more datapoints than periods": alarm(DatapointsToAlarm=4),
    "two statistics": alarm(ExtendedStatistic="p90"),
    "no statistic": alarm(Statistic=None),
    "a percentile as statistic": alarm(Statistic="p90"),
    "an average as extended statistic": alarm(Statistic=None, ExtendedStatistic="Average"),
    "a percentile of 101": alarm(Statistic=None, ExtendedStatistic="p101"),
    "few samples without percentile": alarm(EvaluateLowSampleCountPercentile="ignore"),
    "no threshold": alarm(Threshold=None),
    "no period": alarm(Period=None),
    "no namespace": alarm(Namespace=None),
    "neither metric nor metrics": alarm(Namespace=None, MetricName=None, Dimensions=None, Statistic=None, Period=None),
    "a dimension twice": alarm(
        Dimensions=[{"Name": "Region", "Value": "Global"}, {"Name": "Region", "Value": "eu"}, {"Name": "DistributionId", "Value": "E1"}]
    ),
    "missing data in words": alarm(TreatMissingData="notbreaching"),
    "a comparison that is none": alarm(ComparisonOperator="GreaterThan"),
    "an action that is a name": alarm(AlarmActions=["alerts"]),
    "a topic of another region": alarm(AlarmActions=[f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"]),
    "a bucket as action": alarm(AlarmActions=["arn:aws:s3:::example-data-bucket"]),
    "six actions": alarm(AlarmActions=[f"{TOPIC}-{i}" for i in range(6)]),
    "ten seconds of an AWS metric": alarm(Period=10),
    "a metric and metrics": alarm(Metrics=[metric("m1", "Errors", ReturnData=True)]),
    "no metric returns": maths(metric("m1", "Errors")),
    "two metrics return": maths(metric("m1", "Errors", ReturnData=True), metric("m2", "Errors", ReturnData=True)),
    "an id with a capital": maths(metric("M1", "Errors", ReturnData=True)),
    "an id twice": maths(metric("m1", "Errors"), metric("m1", "Others"), {"Id": "e", "Expression": "m1", "ReturnData": True}),
    "an expression of an unknown id": maths(metric("m1", "Errors"), {"Id": "e", "Expression": "m1/m2", "ReturnData": True}),
    "an expression that does not end": maths(metric("m1", "Errors"), {"Id": "e", "Expression": "(m1*2", "ReturnData": True}),
    "a metric and an expression": maths({**metric("m1", "Errors", ReturnData=True), "Expression": "m1"}),
    "a search": maths({"Id": "e", "Expression": "SEARCH('{Shop} Errors', 'Sum', 300)", "ReturnData": True}),
    "a function that is none": maths(metric("m1", "Errors"), {"Id": "e", "Expression": "AVERAGE(m1)", "ReturnData": True}),
    "a band without its threshold": maths(metric("m1", "Errors", ReturnData=True), BAND),
    "a threshold of a band and a comparison with a number": but("an alarm of a band", "Alarm/ComparisonOperator", "GreaterThanThreshold"),
    "a threshold metric that is none": but("an alarm of a band", "Alarm/ThresholdMetricId", "m9"),
    "two thresholds": but("an alarm of a band", "Alarm/Threshold", 1),
    "an encrypted topic that alarms cannot use": {
        **alarm(AlarmActions=[{"Ref": "Topic"}]),
        **topic(PUBLISH, KmsMasterKeyId="alias/aws/sns"),
    },
    "a rule that does not end": composite("ALARM(a) AND (OK(b)"),
    "a rule of an unknown state": composite("FAILED(a)"),
    "a rule without an operator": composite("ALARM(a) ALARM(b)"),
    "a rule of itself": composite("ALARM(all)"),
    "an empty rule": composite(""),
    "a suppressor without its times": composite("ALARM(a)", ActionsSuppressor="b"),
    "times without a suppressor": composite("ALARM(a)", ActionsSuppressorWaitPeriod=60),
}
BOARDS: dict[str, Resources] = {
    "a widget of no type": board({key: value for key, value in graph().items() if key != "type"}),
    "a widget of an unknown type": board(widget(type="graph")),
    "a widget without properties": board({"type": "metric"}),
    "a widget beyond the edge": board(widget(x=20, width=12)),
    "a widget of width 25": board(widget(x=0, width=25)),
    "a widget of no height": board(widget(height=0)),
    "metrics that are no rows": board(graph(metrics=["AWS/Lambda", "Errors"])),
    "a row of only a namespace": board(graph(metrics=[["AWS/Lambda"]])),
    "a row with a dimension without value": board(graph(metrics=[["AWS/Lambda", "Errors", "FunctionName"]])),
    "a first row that repeats": board(graph(metrics=[["...", "f"]])),
    "a graph without region": board(widget(properties={"metrics": [["Shop", "Orders"]]})),
    "a region that no service has": board(graph(region="europe")),
    "a period of 45": board(graph(period=45)),
    "an unknown view": board(graph(view="lines")),
    "an unknown statistic": board(graph(stat="Mean")),
    "a text without words": board({"type": "text", "properties": {"text": "hello"}}),
    "a log widget without query": board({"type": "log", "properties": {"region": "eu-west-1"}}),
    "an alarm widget without alarms": board({"type": "alarm", "properties": {"alarms": []}}),
    "an alarm widget of names": board({"type": "alarm", "properties": {"alarms": ["errors"]}}),
    "a start in words": board(graph(), start="yesterday"),
    "an axis in the middle": board(graph(metrics=[["Shop", "Orders", {"yAxis": "middle"}]])),
    "an id twice in a graph": board(graph(metrics=[["Shop", "A", {"id": "m1"}], ["Shop", "B", {"id": "m1"}]])),
    "an expression of an unknown id in a graph": board(graph(metrics=[[{"expression": "m9*2"}], ["Shop", "A", {"id": "m1"}]])),
    "a name with a space": {"Board": resource("CloudWatch::Dashboard", DashboardName="my shop", DashboardBody='{"widgets": []}')},
    "an unknown field": board({**graph(), "title": "Errors"}),
}
TOPICS: dict[str, Resources] = {
    "an ordered topic without its ending": topic(TopicName="orders", FifoTopic=True),
    "an ending without order": topic(TopicName="orders.fifo"),
    "deduplication without order": topic(ContentBasedDeduplication=True),
    "a topic name with a dot": topic(TopicName="a.b"),
    "a protocol that is none": subscription("mail", "ops@example.com"),
    "mail to no address": subscription("email", "ops"),
    "https to http": subscription("https", "http://hooks.example.com"),
    "a function by name": subscription("lambda", "my-function"),
    "a queue by URL": subscription("sqs", f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/jobs"),
    "raw messages to mail": subscription("email", "ops@example.com", RawMessageDelivery=True),
    "a stream without a role": subscription("firehose", f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s"),
    "a filter that is no list": but("a queue", "Subscription/FilterPolicy", {"kind": "order"}),
    "a dead letter topic": but("a queue", "Subscription/RedrivePolicy", {"deadLetterTargetArn": TOPIC}),
    "a topic policy of all actions": topic({**PUBLISH, "Action": "sns:*"}),
    "a topic policy of another service": topic({**PUBLISH, "Action": "sqs:SendMessage"}),
    "a topic policy of another topic": topic({**PUBLISH, "Resource": f"{TOPIC}-other"}),
    "a topic policy without principal": topic({key: value for key, value in PUBLISH.items() if key != "Principal"}),
    "a topic policy of an identity's action": topic({**PUBLISH, "Action": "sns:ListTopics"}),
    "no topic": but("a topic of alarms", "TopicPolicy/Topics", []),
    "an ordered topic by mail": {**subscription("email", "ops@example.com"), **topic(TopicName="o.fifo", FifoTopic=True)},
}
LOGS: dict[str, Resources] = {
    "a retention of ten days": but("a log group", "Group/RetentionInDays", 10),
    "a key by alias": but("a log group", "Group/KmsKeyId", "alias/logs"),
    "a group name with a space": but("a log group", "Group/LogGroupName", "my group"),
    "a reserved group name": but("a log group", "Group/LogGroupName", "aws/site"),
    "logs of a kind that CloudFront does not have": but("logs to a bucket", "Source/LogType", "APPLICATION_LOGS"),
    "logs of a bucket": but("logs to a bucket", "Source/ResourceArn", "arn:aws:s3:::example-data-bucket"),
    "a destination that takes no logs": delivery(TOPIC),
    "parquet in a group": delivery(f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/site", "parquet"),
    "w3c in a stream": delivery(f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s", "w3c"),
    "a format that is none": delivery(output="csv"),
    "a suffix for a group": delivery(f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/site", S3SuffixPath="/{yyyy}"),
    "a variable that is none": delivery(S3SuffixPath="/{DistributionId}/{year}"),
    "a delimiter for JSON": delivery(FieldDelimiter=","),
    "a field twice": delivery(RecordFields=["date", "date"]),
    "a field that CloudFront does not have": delivery(RecordFields=["date", "cs-cookies"]),
    "a source by name, in no order": delivery(DeliverySourceName="site"),
    "a source of another name": delivery(DeliverySourceName="other"),
    "a destination that is a bucket": delivery(DeliveryDestinationArn="arn:aws:s3:::example-logs"),
    "a source name with a slash": but("logs to a bucket", "Source/Name", "a/b"),
    "the same delivery twice": {**delivery(), "Again": delivery()["Delivery"]},
    "Hive and variables of CloudFront": delivery(S3EnableHiveCompatiblePath=True, FieldDelimiter=";"),
}
KEYS: dict[str, Resources] = {
    "a key that nobody can administer": key(
        allow(["kms:Encrypt", "kms:Decrypt"], "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/a"})
    ),
    "a key policy without principal": key(OWNER, allow("kms:Decrypt", "*")),
    "a key policy of another service": key(OWNER, allow("s3:GetObject", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/a"})),
    "a key policy for another key": key({**OWNER, "Resource": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/a"}),
    "rotation of a key that signs": but("a key that signs", "Key/EnableKeyRotation", True),
    "a symmetric key that signs": key(KeyUsage="SIGN_VERIFY"),
    "an elliptic key that encrypts": key(KeySpec="ECC_NIST_P256", KeyUsage="ENCRYPT_DECRYPT"),
    "a key of a kind that is none": key(KeySpec="AES_256"),
    "deletion after three days": key(PendingWindowInDays=3),
    "a rotation period without rotation": key(RotationPeriodInDays=180),
    "an alias without its prefix": but("a key", "Alias/AliasName", "site"),
    "an alias of AWS": but("a key", "Alias/AliasName", "alias/aws/site"),
    "an alias of an alias": but("a key", "Alias/TargetKeyId", "alias/other"),
}
SECRETS: dict[str, Resources] = {
    "a value and a generated one": secret(SecretString="{{resolve:ssm:x}}", GenerateSecretString={"PasswordLength": 20}),
    "a key without its template": secret(GenerateSecretString={"GenerateStringKey": "password"}),
    "a template without its key": secret(GenerateSecretString={"SecretStringTemplate": "{}"}),
    "a template that is not JSON": secret(GenerateSecretString={**GENERATED, "SecretStringTemplate": "{username}"}),
    "a template that is a list": secret(GenerateSecretString={**GENERATED, "SecretStringTemplate": "[]"}),
    "a password of 5000": secret(GenerateSecretString={"PasswordLength": 5000}),
    "a password of nothing": secret(
        GenerateSecretString={"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludeNumbers": True, "ExcludePunctuation": True}
    ),
    "a password shorter than its kinds": secret(GenerateSecretString={"PasswordLength": 3}),
    "a replica at home": secret(GenerateSecretString={"PasswordLength": 20}, ReplicaRegions=[{"Region": "us-east-1"}]),
    "a replica twice": secret(GenerateSecretString={"PasswordLength": 20}, ReplicaRegions=[{"Region": "eu-west-1"}] * 2),
    "a secret's name with a colon": secret(Name="a:b"),
    "a rotation without a function": but("a rotated secret", "Rotation/RotationLambdaARN", DROP),
    "a rotation in two rhythms": but("a rotated secret", "Rotation/RotationRules/AutomaticallyAfterDays", 10),
    "a rotation of an hour": but("a rotated secret", "Rotation/RotationRules/ScheduleExpression", "rate(1 hour)"),
    "a rhythm in words": but("a rotated secret", "Rotation/RotationRules/ScheduleExpression", "weekly"),
}
STACKS: dict[str, Resources] = {
    "a managed set with a role": but("a stack set of an organization", "Set/AdministrationRoleARN", f"arn:aws:iam::{ACCOUNT}:role/a"),
    "a set that deploys by itself": stack_set(AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False}),
    "a managed set of accounts": but(
        "a stack set of an organization", "Set/StackInstancesGroup/0/DeploymentTargets", {"Accounts": [ACCOUNT]}
    ),
    "a self-managed set of units": but(
        "a stack set", "Set/StackInstancesGroup/0/DeploymentTargets", {"OrganizationalUnitIds": ["ou-abcd-12345678"]}
    ),
    "a set without a template": but("a stack set", "Set/TemplateURL", DROP),
    "a set with two templates": but("a stack set", "Set/TemplateBody", "{}"),
    "two tolerances": but("a stack set", "Set/OperationPreferences/FailureTolerancePercentage", 10),
    "more at once than may fail": but("a stack set", "Set/OperationPreferences/MaxConcurrentCount", 3),
    "a template that is not in S3": but("a nested stack", "Nested/TemplateURL", "https://example.com/t.json"),
    "a set name with an underscore": but("a stack set", "Set/StackSetName", "my_roles"),
    "deployed by itself without keeping": but("a stack set of an organization", "Set/AutoDeployment", {"Enabled": True}),
}


def web_acl(*groups: str) -> Resources:
    rules = [
        {
            "Name": name,
            "Priority": priority,
            "OverrideAction": {"Count": {}},
            "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name}},
            "VisibilityConfig": {"CloudWatchMetricsEnabled": True, "MetricName": name, "SampledRequestsEnabled": True},
        }
        for priority, name in enumerate(groups)
    ]
    return {"Acl": resource("WAFv2::WebACL", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, Rules=rules)}


def logged(to: Any, **more: Any) -> Resources:
    return {
        "Logging": resource("WAFv2::LoggingConfiguration", ResourceArn="arn:aws:wafv2:::global/webacl/a/b", LogDestinationConfigs=[to]),
        **more,
    }


FIREWALLS: dict[str, Resources] = {
    "a group that AWS does not have": web_acl("AWSManagedRulesBadInputs"),
    "groups that need more than there is": web_acl(*["AWSManagedRulesCommonRuleSet"] * 8),
    "logs to a bucket of another name": logged("arn:aws:s3:::logs"),
    "logs to a bucket of the template with another name": logged(
        {"Fn::GetAtt": ["Bucket", "Arn"]}, Bucket=resource("S3::Bucket", BucketName="logs")
    ),
    "logs to a bucket whose name is made up": logged({"Fn::GetAtt": ["Bucket", "Arn"]}, Bucket=resource("S3::Bucket")),
}

GROUPS = {
    "records": RECORDS,
    "checks": CHECKS,
    "certificates": CERTIFICATES,
    "buckets": BUCKETS,
    "statements": STATEMENTS,
    "roles": ROLES,
    "tables": TABLES,
    "alarms": ALARMS,
    "boards": BOARDS,
    "topics": TOPICS,
    "logs": LOGS,
    "keys": KEYS,
    "secrets": SECRETS,
    "stacks": STACKS,
    "firewalls": FIREWALLS,
}
BROKEN: dict[str, Resources] = {f"{group}: {what}": resources for group, found in GROUPS.items() for what, resources in found.items()}


def without_nothing(value: Any) -> Any:
    """Keys whose value is None are not there."""
    return json.loads(json.dumps(value), object_hook=lambda found: {key: item for key, item in found.items() if item is not None})
