"""Documented constraints that have no rule, with the reason; docs/lint-rules.md lists them."""

from __future__ import annotations

LEFT_OUT = (
    (
        "AWS::CertificateManager::Certificate",
        "that the zone of a HostedZoneId parameter is the name's",
        "only Route 53 knows the zone; the deployer looks it up",
    ),
    ("AWS::CloudWatch::Alarm", "that a dimension's value exists", "CloudWatch takes any; `deploy.py doctor` looks at the alarms' states"),
    ("AWS::CloudWatch::Dashboard", "the words of a log query", "a language of its own; a query that fails shows its error in the widget"),
    ("AWS::DynamoDB::Table", "500 updates, five indexes at once", "about changes of a table, not about a template"),
    (
        "AWS::IAM::ManagedPolicy",
        "that an action or resource exists",
        "actions: cfn-lint W3037 and E9508; resources: other stacks make them",
    ),
    ("AWS::IAM::OIDCProvider", "that the account has no such provider yet", "only the account knows; create_provider says it"),
    ("AWS::IAM::Role", "that a principal exists", "IAM refuses a principal that is not there; those of the template come by Ref"),
    ("AWS::Logs::Delivery", "that the destination's policy lets the source in", "AWS writes it where the deployer may; E9002 has the path"),
    ("AWS::Logs::LogGroup", "that the group does not exist", "only the account knows; the deployer asks for groups of replicas"),
    ("AWS::Route53::HealthCheck", "that the endpoint answers", "a check of it is what the resource is for"),
    ("AWS::Route53::RecordSet", "records that stand in the zone already", "only Route 53 knows; the plan compares them"),
    ("AWS::S3::Bucket", "that the name is free, the replica bucket there", "only S3 knows; the stack of the replica is made before"),
    ("AWS::S3::BucketPolicy", "conditions that no request of an action meets", "documented for the listing keys only (E9418)"),
    ("AWS::SNS::TopicPolicy", "conditions of publishers", "their keys are documented service by service; E9507 wants one"),
    ("AWS::SNS::Topic", "that somebody is subscribed", "addresses are subscribed and confirmed outside the template"),
)
"""Type, constraint, reason: documented constraints that the template alone cannot show to be broken."""
