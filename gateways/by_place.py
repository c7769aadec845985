"""Every gateway that a rollout uses, by account, region and role, made once; each is imported when it is asked for.

In: an `Aws` session, the sleep to wait with. Out: the gateways of this package, and the few questions that planning has for them.
Never: keeps or prints a secret, creates anything but objects in the artifact bucket.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from aws.errors import NotFound
from aws.s3 import S3, Headers
from aws.session import Aws

if TYPE_CHECKING:
    from aws.cloudformation.gateway import CloudFormation
    from aws.iam import Iam
    from aws.logs import Logs
    from aws.route53 import Route53
    from aws.secrets import Secrets
    from gateways.account import Account
    from gateways.existing import ExistingResources
    from gateways.live import LiveResources
    from gateways.organizations import Organizations
    from gateways.retained import Retained


class Gateways:
    """May be used from any thread."""

    def __init__(self, aws: Aws, *, sleep: Callable[[float], None], poll_seconds: float = 2.0) -> None:
        self.aws = aws
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        self._formations: dict[tuple[str, str, str | None], CloudFormation] = {}

    def impatient(self) -> Gateways:
        """The same that give up on a region within seconds, for who only looks, or asks what is nice to know."""
        return Gateways(self.aws.impatient(), sleep=self._sleep, poll_seconds=self._poll_seconds)

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        """The CloudFormation of that place. Raises `CredentialsError` and its kin."""
        from aws.cloudformation.gateway import CloudFormation

        key = (account_id, region, role_arn)
        with self._lock:
            if key not in self._formations:
                client = self.aws.client("cloudformation", account_id=account_id, region=region, role_arn=role_arn)
                self._formations[key] = CloudFormation(
                    client, account_id=account_id, region=region, sleep=self._sleep, poll_seconds=self._poll_seconds
                )
            return self._formations[key]

    def account(self, account_id: str) -> Account:
        """Its regions and quotas. Raises `CredentialsError` and its kin, as the ones below."""
        from gateways.account import Account

        return Account.connect(self.aws, account_id=account_id)

    def iam(self, account_id: str) -> Iam:
        """Its roles."""
        from aws.iam import Iam

        return Iam.connect(self.aws, account_id=account_id)

    def logs(self, account_id: str, region: str) -> Logs:
        """Its log groups."""
        from aws.logs import Logs

        return Logs.connect(self.aws, account_id=account_id, region=region)

    def organizations(self, account_id: str) -> Organizations:
        """The organization that it manages or administers."""
        from gateways.organizations import Organizations

        return Organizations.connect(self.aws, account_id=account_id)

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained:
        """What deleted stacks of that place left behind."""
        from gateways.retained import Retained

        return Retained.connect(self.aws, account_id=account_id, region=region, role_arn=role_arn)

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> ExistingResources:
        """What stands there by name."""
        from gateways.existing import ExistingResources

        return ExistingResources.connect(self.aws, account_id=account_id, region=region, role_arn=role_arn)

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> LiveResources:
        """What stands there as CloudFormation would describe it."""
        from gateways.live import LiveResources

        return LiveResources.connect(self.aws, account_id=account_id, region=region, role_arn=role_arn)

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> S3:
        """Its buckets."""
        return S3.connect(self.aws, account_id=account_id, region=region, role_arn=role_arn)

    def route53(self, account_id: str, role_arn: str | None = None) -> Route53:
        """Its zones."""
        from aws.route53 import Route53

        return Route53.connect(self.aws, account_id=account_id, role_arn=role_arn)

    def secrets(self, account_id: str, region: str, role_arn: str | None = None) -> Secrets:
        """Its secrets."""
        from aws.secrets import Secrets

        return Secrets.connect(self.aws, account_id=account_id, region=region, role_arn=role_arn)

    def hosted_zone_id(self, name: str, *, account_id: str, role_arn: str | None = None) -> str:
        """Id of the account's public zone of exactly that name. `NotFound` if there is none, `Conflict` if there are several."""
        return self.route53(account_id, role_arn).find_public_zone(name).id

    def secret_version(self, secret: str, *, account_id: str, region: str, role_arn: str | None = None) -> str:
        """VersionId of the secret's current version. `NotFound` if there is none."""
        return self.secrets(account_id, region, role_arn).current_version(secret)

    def secret_value(self, secret: str, key: str, *, version: str, account_id: str, region: str, role_arn: str | None = None) -> str:
        """One key of that version of a JSON secret. `NotFound` if it is not there."""
        return self.secrets(account_id, region, role_arn).json_key(secret, key, version=version)

    def upload_template(self, bucket: str, body: bytes, *, sha256: str, account_id: str, region: str) -> str | None:
        """Put a template into the artifact bucket under its digest and return its URL; None if there is no bucket.

        The key names the content, so an object that is there is the same and is not written again.
        """
        s3 = S3.connect(self.aws, account_id=account_id, region=region)
        key = f"templates/{sha256}.json"
        if not s3.bucket_exists(bucket):
            return None
        try:
            if s3.head(bucket, key) is None:
                s3.put(bucket, key, body, headers=Headers(content_type="application/json"))
        except NotFound:
            return None
        return s3.template_url(bucket, key)
