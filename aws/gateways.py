"""What planning and applying need of AWS beside stacks: hosted zones, secrets, the artifact bucket; and one CloudFormation a place.

In: an `Aws` session. Out: ids, versions and URLs; `None` for what is not there; a secret's text only where it is asked for by name.
Never: keeps or prints a secret, creates anything but objects in the artifact bucket.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws.cloudformation import CloudFormation
from aws.errors import AwsError, BadRequest, NotFound

if TYPE_CHECKING:
    from aws.session import Aws


class Gateways:
    """Everything of AWS that `rollout` uses, by account and region. May be used from any thread."""

    def __init__(self, aws: Aws, *, sleep: Callable[[float], None], poll_seconds: float = 2.0) -> None:
        self._aws = aws
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        self._formations: dict[tuple[str, str, str | None], CloudFormation] = {}

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        """The CloudFormation of that place. Raises `CredentialsError` and its kin."""
        key = (account_id, region, role_arn)
        with self._lock:
            if key not in self._formations:
                client = self._client("cloudformation", account_id, region, role_arn)
                self._formations[key] = CloudFormation(
                    client, account_id=account_id, region=region, sleep=self._sleep, poll_seconds=self._poll_seconds
                )
            return self._formations[key]

    def hosted_zone_ids(self, name: str, *, account_id: str, role_arn: str | None = None) -> tuple[str, ...]:
        """Ids of the account's public zones of exactly that name; more than one is possible."""
        wanted = name.rstrip(".").lower() + "."
        client = self._client("route53", account_id, "us-east-1", role_arn)
        found: list[str] = []
        arguments: dict[str, Any] = {"DNSName": wanted}
        while True:
            page = client.list_hosted_zones_by_name(**arguments)
            for zone in page.get("HostedZones", []):
                if zone["Name"] != wanted:
                    return tuple(found)
                if not zone.get("Config", {}).get("PrivateZone", False):
                    found.append(zone["Id"].removeprefix("/hostedzone/"))
            if not page.get("IsTruncated"):
                return tuple(found)
            arguments = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}

    def secret_version(self, secret: str, *, account_id: str, region: str, role_arn: str | None = None) -> str | None:
        """VersionId of the AWSCURRENT version; None if there is no such secret or it has no value."""
        client = self._client("secretsmanager", account_id, region, role_arn)
        try:
            versions = client.describe_secret(SecretId=secret)
        except NotFound:
            return None
        if versions.get("DeletedDate"):
            return None
        stages: dict[str, list[str]] = versions.get("VersionIdsToStages") or {}
        return next((version for version, names in stages.items() if "AWSCURRENT" in names), None)

    def secret_value(self, secret: str, key: str, *, version: str | None, account_id: str, region: str, role_arn: str | None = None) -> str:
        """One key of a JSON secret, of exactly that version if one is given. `BadRequest` if it is not JSON or has no such key."""
        client = self._client("secretsmanager", account_id, region, role_arn)
        text = client.get_secret_value(SecretId=secret, **({"VersionId": version} if version else {})).get("SecretString", "")
        try:
            value = json.loads(text)[key]
        except (ValueError, KeyError, TypeError):
            raise BadRequest(
                f"the secret {secret} is not a JSON object with the key {key!r}",
                service="secretsmanager",
                account=account_id,
                region=region,
            ) from None
        return str(value)

    def upload_template(
        self, bucket: str, body: bytes, *, sha256: str, account_id: str, region: str, role_arn: str | None = None
    ) -> str | None:
        """Put a template into the artifact bucket under its digest and return its URL; None if there is no bucket.

        Written once: the key names the content, so an object that is there is the same.
        """
        client = self._client("s3", account_id, region, role_arn)
        key = f"templates/{sha256}.json"
        try:
            client.head_object(Bucket=bucket, Key=key)
        except NotFound:
            try:
                client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
            except NotFound:
                return None
        endpoint = self._aws.endpoint_url
        if endpoint is not None:
            return f"{endpoint}/{bucket}/{key}"
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return f"https://{bucket}.s3.{region}.{suffix}/{key}"

    def caller(self, account_id: str, region: str) -> str:
        """ARN of whoever acts in that account, for the record."""
        try:
            return str(self._client("sts", account_id, region, None).get_caller_identity()["Arn"])
        except AwsError as error:
            if error.code in ("AccessDenied", "AccessDeniedException"):
                return "unknown"
            raise

    def _client(self, service: str, account_id: str, region: str, role_arn: str | None) -> Any:
        return self._aws.client(service, account_id=account_id, region=region, role_arn=role_arn)
