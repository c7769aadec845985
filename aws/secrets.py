"""Secrets Manager: JSON secrets, read by key, and their current version.

In: a secret's name or ARN. Out: values; a secret value is only ever a return value. Raises `aws.errors`.
Never: puts a secret value into an error, a representation or a log.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import field

from aws.answers import Answer, read
from aws.errors import AwsError, NotFound
from aws.gateway import Regional
from guards import documents

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class _Secret(Answer, frozen=True, kw_only=True):
    deleted_date: str = ""
    version_ids_to_stages: dict[str, tuple[str, ...]] = field(default_factory=dict)


class _Value(Answer, frozen=True, kw_only=True):
    secret_string: str | None = None


class Secrets(Regional):
    """The secrets of one account and region."""

    client: SecretsManagerClient
    service = "secretsmanager"

    def json_key(self, secret: str, key: str, *, version: str = "") -> str:
        """The text at one key of that version, else of the current one. `NotFound` if the secret, the version or the key is not there."""
        answer = self.client.get_secret_value(SecretId=secret, **({"VersionId": version} if version else {}))
        text = read(answer, _Value).secret_string or ""
        try:
            document = documents.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._problem(AwsError, secret, "is not a JSON object")
        value = document.get(key)
        if not isinstance(value, str):
            raise self._problem(NotFound, secret, f"has no text at the key {key!r}; it has {', '.join(sorted(document)) or 'no keys'}")
        return value

    def current_version(self, secret: str) -> str:
        """VersionId of AWSCURRENT, without reading the value. `NotFound` as for `json_key`, and for a secret that is being deleted."""
        found = self._described(secret)
        if found.deleted_date:
            raise self._problem(NotFound, secret, "is marked for deletion; a new password takes it back")
        for version, names in found.version_ids_to_stages.items():
            if "AWSCURRENT" in names:
                return version
        raise self._problem(NotFound, secret, "has no current version")

    def comes_to_be(self, secret: str, version: str, pause: Callable[[], None], *, attempts: int = 60) -> bool:
        """Wait until that version is the current one for whoever asks; False if it is not after so many attempts."""
        for _ in range(attempts):
            with contextlib.suppress(NotFound):
                if self.current_version(secret) == version:
                    return True
            pause()
        return False

    def put(self, secret: str, values: Mapping[str, str], *, token: str) -> str:
        """A new current version; the same `token` (32 to 64 characters) writes once. The VersionId."""
        text = json.dumps(dict(values), sort_keys=True)
        return read(self.client.put_secret_value(SecretId=secret, SecretString=text, ClientRequestToken=token), str, "VersionId")

    def create(self, secret: str, values: Mapping[str, str], *, description: str, tags: Mapping[str, str]) -> str:
        """A new secret; `Conflict` if it is there. The VersionId."""
        answer = self.client.create_secret(
            Name=secret,
            Description=description,
            SecretString=json.dumps(dict(values), sort_keys=True),
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        )
        return read(answer, str, "VersionId")

    def text(self, secret: str) -> str | None:
        """The whole text of the current version; None if there is no secret, it is being deleted, or it has no value."""
        try:
            if self._described(secret).deleted_date:
                return None
            return read(self.client.get_secret_value(SecretId=secret), _Value).secret_string
        except NotFound:
            return None

    def exists(self, secret: str) -> bool:
        """Whether there is such a secret that is not being deleted."""
        try:
            return not self._described(secret).deleted_date
        except NotFound:
            return False

    def schedule_deletion(self, secret: str, *, recovery_days: int) -> None:
        """Delete it after so many days (7 to 30), in which it can be restored; nothing happens if it is gone."""
        try:
            self.client.delete_secret(SecretId=secret, RecoveryWindowInDays=recovery_days)
        except NotFound:
            return

    def restore(self, secret: str) -> None:
        """Take back a scheduled deletion; nothing happens if there is none."""
        self.client.restore_secret(SecretId=secret)

    def _described(self, secret: str) -> _Secret:
        return read(self.client.describe_secret(SecretId=secret), _Secret)

    def _problem(self, kind: type[AwsError], secret: str, what: str) -> AwsError:
        return kind(
            f"the secret {secret} {what}",
            service="secretsmanager",
            operation="GetSecretValue",
            account=self.account_id,
            region=self.region,
        )
