"""What a stack leaves behind, deleted or replacing: is it still there, and delete it for good.

In: physical ids. Out: whether it is there, how much was deleted. Raises `aws.errors`; `StillReplicated` where Lambda@Edge needs hours yet.
Never: decides what may be deleted, or touches another account's bucket of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from aws.answers import Answer, read
from aws.errors import AwsError, Conflict, NotFound
from aws.logs import Logs

if TYPE_CHECKING:
    from aws.session import Aws

BUCKET, TABLE, LOG_GROUP = "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup"
FUNCTION, VERSION = "AWS::Lambda::Function", "AWS::Lambda::Version"

CERTIFICATE, HEALTH_CHECK, TOPIC = "AWS::CertificateManager::Certificate", "AWS::Route53::HealthCheck", "AWS::SNS::Topic"

_CALLS = {
    CERTIFICATE: ("acm", "describe_certificate", "delete_certificate", "CertificateArn"),
    HEALTH_CHECK: ("route53", "get_health_check", "delete_health_check", "HealthCheckId"),
    TOPIC: ("sns", "get_topic_attributes", "delete_topic", "TopicArn"),
    VERSION: ("lambda", "get_function_configuration", "delete_function", "FunctionName"),
}
"""Types without data: service, call that looks, call that deletes, and the parameter that takes the physical id."""

REMOVABLE = frozenset(_CALLS)

_REPLICATED = re.compile(r"replicated function", re.IGNORECASE)
"""AWS's words: "Lambda was unable to delete ... because it is a replicated function."
Source: CloudFront Developer Guide, "Delete Lambda@Edge functions and replicas"."""


class StillReplicated(Conflict):
    """CloudFront still has replicas of the function; it can be deleted some hours after the last distribution let go of it."""


class _Version(Answer, frozen=True, kw_only=True):
    key: str
    version_id: str


class _Versions(Answer, frozen=True, kw_only=True):
    versions: tuple[_Version, ...] = ()
    delete_markers: tuple[_Version, ...] = ()
    is_truncated: bool


class _Refusal(Answer, frozen=True, kw_only=True):
    key: str = ""
    code: str = ""
    message: str = ""


class _Deleted(Answer, frozen=True, kw_only=True):
    errors: tuple[_Refusal, ...] = ()


class _Upload(Answer, frozen=True, kw_only=True):
    key: str
    upload_id: str


class _Uploads(Answer, frozen=True, kw_only=True):
    uploads: tuple[_Upload, ...] = ()


class _Table(Answer, frozen=True, kw_only=True):
    table_status: str = ""
    deletion_protection_enabled: bool = False


class Retained:
    """Resources of one account and region that CloudFormation no longer manages."""

    def __init__(self, client: Callable[[str], Any], *, account_id: str, region: str) -> None:
        self._client = client
        self.account_id = account_id
        self.region = region

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> Retained:
        """As `Aws.client`; each service's client is made when it is needed."""
        return cls(
            lambda service: aws.client(service, account_id=account_id, region=region, role_arn=role_arn),
            account_id=account_id,
            region=region,
        )

    # --- is it there? -----------------------------------------------------------------------------------------

    def exists(self, resource_type: str, physical_id: str) -> bool:
        """Whether it is still there. ValueError for a type that this module does not know."""
        match resource_type:
            case "AWS::S3::Bucket":
                return self._found(self._client("s3").head_bucket, Bucket=physical_id, ExpectedBucketOwner=self.account_id)
            case "AWS::DynamoDB::Table":
                return self._found(self._client("dynamodb").describe_table, TableName=physical_id)
            case "AWS::Lambda::Function":
                return self._found(self._client("lambda").get_function_configuration, FunctionName=physical_id)
            case "AWS::Logs::LogGroup":
                groups = Logs(self._client("logs")).groups(physical_id)
                return physical_id in groups
        if resource_type in _CALLS:
            service, look, _, parameter = _CALLS[resource_type]
            return self._found(getattr(self._client(service), look), **{parameter: physical_id})
        raise ValueError(f"{resource_type} is not a type that can be looked up")

    @staticmethod
    def _found(call: Callable[..., Any], **arguments: Any) -> bool:
        try:
            call(**arguments)
        except NotFound:
            return False
        return True

    # --- delete it --------------------------------------------------------------------------------------------

    def remove(self, resource_type: str, physical_id: str) -> None:
        """One of a `REMOVABLE` type; nothing happens if it is gone. `Conflict` while it is in use; of a version `StillReplicated`."""
        if resource_type == VERSION:
            self.delete_function(physical_id)
        else:
            service, _, delete, parameter = _CALLS[resource_type]
            self._found(getattr(self._client(service), delete), **{parameter: physical_id})

    def delete_function(self, name: str) -> None:
        """The function with every version of it, or the version whose ARN is given; nothing happens if it is gone.

        `StillReplicated`: come back in some hours.
        """
        try:
            self._client("lambda").delete_function(FunctionName=name)
        except NotFound:
            return
        except AwsError as error:
            if _REPLICATED.search(error.message):
                raise StillReplicated(
                    error.message,
                    service=error.service,
                    operation=error.operation,
                    code=error.code,
                    account=self.account_id,
                    region=self.region,
                ) from error
            raise

    def empty_bucket(self, bucket: str) -> Iterator[int]:
        """Delete every version and delete marker of every object, a page (1,000) at a time; yields how many each time.

        Raises `AwsError` with the first refusal where S3 refuses single objects (a legal hold, say).
        """
        client = self._client("s3")
        while True:
            # Always the first page: what it listed is gone by the next look.
            page = read(client.list_object_versions(Bucket=bucket, ExpectedBucketOwner=self.account_id), _Versions)
            doomed = [{"Key": v.key, "VersionId": v.version_id} for v in (*page.versions, *page.delete_markers)]
            if not doomed:
                break
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True}, ExpectedBucketOwner=self.account_id)
            refused = read(answer, _Deleted).errors
            if refused:
                first = refused[0]
                raise AwsError(
                    f"{len(refused)} objects of {bucket} were not deleted; the first is {first.key}: {first.message}",
                    service="s3",
                    operation="DeleteObjects",
                    code=first.code,
                    account=self.account_id,
                    region=self.region,
                )
            yield len(doomed)
        uploads = read(client.list_multipart_uploads(Bucket=bucket, ExpectedBucketOwner=self.account_id), _Uploads).uploads
        for upload in uploads:
            client.abort_multipart_upload(Bucket=bucket, Key=upload.key, UploadId=upload.upload_id, ExpectedBucketOwner=self.account_id)

    def delete_bucket(self, bucket: str) -> None:
        """An empty bucket; nothing happens if it is gone."""
        self._found(self._client("s3").delete_bucket, Bucket=bucket, ExpectedBucketOwner=self.account_id)

    def delete_table(self, table: str) -> None:
        """A table with its items, deletion protection lifted; nothing happens if it is gone or going."""
        client = self._client("dynamodb")
        try:
            described = read(client.describe_table(TableName=table), _Table, "Table")
            if described.table_status == "DELETING":
                return
            if described.deletion_protection_enabled:
                client.update_table(TableName=table, DeletionProtectionEnabled=False)
            client.delete_table(TableName=table)
        except NotFound:
            return

    def delete_log_group(self, group: str) -> None:
        """A log group with its streams; nothing happens if it is gone."""
        self._found(self._client("logs").delete_log_group, logGroupName=group)
