"""What AWS would already have before the first deployment: the public hosted zones, by name, in their accounts.

In: `Aws` on a local endpoint. Out: the ids of the zones; those that exist are left alone, so it may run before every command.
Never: makes a secret, a role or anything that the platform's own stacks make; is never pointed at AWS itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
