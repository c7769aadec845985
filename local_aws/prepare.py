"""What AWS would already have before the first deployment: the public hosted zones, by name, in their accounts, and in the accounts of an
organization the role that lets StackSets in.

In: `Aws` on a local endpoint. Out: the ids of the zones; what exists is left alone, so it may run before every command.
Never: makes a secret or anything that the platform's own stacks make; is never pointed at AWS itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_route53 import Route53Client

    from aws.session import Aws


def hosted_zone(aws: Aws, *, name: str, account_id: str, region: str = "us-east-1") -> str:
    """The id of the public zone `name` of the account, made if it is not there."""
    if not aws.is_local:
        raise ValueError("only a local AWS is prepared")
    client: Route53Client = aws.client("route53", account_id=account_id, region=region)
    wanted = name.rstrip(".") + "."
    for zone in client.list_hosted_zones_by_name(DNSName=wanted)["HostedZones"]:
        if zone["Name"] == wanted and not zone.get("Config", {}).get("PrivateZone", False):
            return zone["Id"].removeprefix("/hostedzone/")
    made = client.create_hosted_zone(Name=wanted, CallerReference=f"local-aws-{account_id}-{wanted}")
    return made["HostedZone"]["Id"].removeprefix("/hostedzone/")


def execution_role(aws: Aws, *, name: str, account_id: str, administration_account_id: str, administration_role_name: str) -> None:
    """The role of the account that the StackSets of another account work with, as whoever opened the account would have made it."""
    if not aws.is_local:
        raise ValueError("only a local AWS is prepared")
    client: IAMClient = aws.client("iam", account_id=account_id, region="us-east-1")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{administration_account_id}:role/{administration_role_name}"},
        "Action": "sts:AssumeRole",
    }
    try:
        client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    except Conflict:
        return
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    client.put_role_policy(RoleName=name, PolicyName="local", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
