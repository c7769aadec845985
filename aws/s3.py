"""S3: objects with conditional writes, listings, and URLs that CloudFormation can read a template from.

In: bucket, key, bytes. Out: frozen values. `Conflict` where a condition did not hold, `NotFound` where nothing is there.
Never: makes or deletes a bucket, changes an object's access, or falls for another account's bucket (requests name the owner they expect).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import field
from msgspec.structs import replace

from aws.answers import Answer, pages, read
from aws.errors import NotFound, Origin, translated
from aws.gateway import Regional

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef


class Head(Answer, frozen=True, kw_only=True):
    """What S3 says of an object. `etag` without quotes; `version_id` only in a versioned bucket."""

    key: str = ""
    size: int = field(name="ContentLength")
    etag: str = field(name="ETag")
    version_id: str | None = None
    content_type: str = ""
    cache_control: str = ""
    content_encoding: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    modified: datetime | None = field(name="LastModified", default=None)
    sha256: str = field(name="ChecksumSHA256", default="")
    """Base64; S3 compared it with the object's bytes when they were written. "" if none was asked for or stored, or one of parts only."""
    checksum_type: str = "FULL_OBJECT"
    replication: str = field(name="ReplicationStatus", default="")
    """What S3 did with an object: COMPLETED, PENDING or FAILED, REPLICA in a replica; empty where no rule took it, also in listings."""


class _Listed(Answer, frozen=True, kw_only=True):
    key: str
    size: int
    etag: str = field(name="ETag")
    last_modified: datetime


class _Bucket(Answer, frozen=True, kw_only=True):
    region: str = field(name="BucketRegion", default="")


class _Put(Answer, frozen=True, kw_only=True):
    etag: str = field(name="ETag")
    version_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object and its bytes."""

    head: Head
    body: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Headers:
    """Headers an object is served with; empty ones are not sent."""

    content_type: str = "application/octet-stream"
    cache_control: str = ""
    content_encoding: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


class S3(Regional):
    """The buckets of one account, asked in one region, which must be their own. Usable from any thread."""

    client: S3Client
    service = "s3"

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the account has it; `AccessDenied` if it belongs to somebody else, or may not be seen."""
        return self.region_of(bucket) is not None

    def region_of(self, bucket: str) -> str | None:
        """Where the bucket is, which may be another region than that of this gateway; "" where S3 does not say, None as above."""
        try:
            return read(self.client.head_bucket(Bucket=bucket, ExpectedBucketOwner=self.account_id), _Bucket).region
        except NotFound:
            return None

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head:
        """Write an object. `if_absent`: only if the key is free; `if_match`: only over that ETag; else `Conflict`.

        A `Conflict` with code ConditionalRequestConflict is a race between two conditional writes: AWS says to try again.
        """
        headers = headers or Headers()
        optional: dict[str, Any] = {
            "CacheControl": headers.cache_control,
            "ContentEncoding": headers.content_encoding,
            "IfNoneMatch": "*" if if_absent else "",
            "IfMatch": if_match or "",
            "Metadata": dict(headers.metadata),
        }
        answer = self.client.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=headers.content_type,
            ExpectedBucketOwner=self.account_id,
            **{name: value for name, value in optional.items() if value},
        )
        put = read(answer, _Put)
        return Head(
            key=key,
            size=len(body),
            etag=put.etag.strip('"'),
            version_id=put.version_id,
            content_type=headers.content_type,
            cache_control=headers.cache_control,
            content_encoding=headers.content_encoding,
            metadata=dict(headers.metadata),
        )

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
        """An object whole, in memory. `NotFound` if it is not there."""
        version: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        answer = self.client.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.account_id, **version)
        head = _head(key, answer)
        with translated(Origin(service="s3", operation="GetObject", account=self.account_id, region=self.region)):
            body = answer["Body"].read()
        return Stored(head=head, body=body)

    def head(self, bucket: str, key: str, *, checksum: bool = False) -> Head | None:
        """What is there, or None. Without s3:ListBucket a missing key is an `AccessDenied`. `checksum`: with its SHA-256, if stored."""
        mode: dict[str, Any] = {"ChecksumMode": "ENABLED"} if checksum else {}
        try:
            return _head(key, self.client.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.account_id, **mode))
        except NotFound:
            return None

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        """Every object below a prefix, in key order, page by page (1,000 each); without content type, metadata and the like."""
        found = pages(
            self.client.list_objects_v2,
            "Contents",
            _Listed,
            tokens={"ContinuationToken": "NextContinuationToken"},
            truncated="IsTruncated",
            may_be_absent=True,
            Bucket=bucket,
            Prefix=prefix,
            ExpectedBucketOwner=self.account_id,
        )
        for each in found:
            yield Head(key=each.key, size=each.size, etag=each.etag.strip('"'), modified=each.last_modified)

    def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        """Remove an object; nothing happens if it is gone. `if_match`: only that ETag, else `Conflict`."""
        condition: dict[str, Any] = {"IfMatch": if_match} if if_match else {}
        self.client.delete_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.account_id, **condition)

    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        headers: Headers,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> None:
        """Copy within S3, with new headers. The source may be another account's, if it lets us read.

        `if_match`: only if the source has that ETag, else `Conflict`. `version_id`: that version of it, whatever has come after.
        """
        source: CopySourceTypeDef = {"Bucket": source_bucket, "Key": source_key}
        if version_id:
            source["VersionId"] = version_id
        optional: dict[str, Any] = {
            "CacheControl": headers.cache_control,
            "ContentEncoding": headers.content_encoding,
            "CopySourceIfMatch": if_match or "",
        }
        self.client.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource=source,
            MetadataDirective="REPLACE",
            ContentType=headers.content_type,
            Metadata=dict(headers.metadata),
            ExpectedBucketOwner=self.account_id,
            **{name: value for name, value in optional.items() if value},
        )

    def template_url(self, bucket: str, key: str) -> str:
        """The HTTPS URL that CloudFormation takes as TemplateURL; path style for a local endpoint."""
        host = self.client.meta.endpoint_url
        path = quote(key)
        if host.startswith("http://"):
            return f"{host}/{bucket}/{path}"
        return f"https://{bucket}.{host.removeprefix('https://')}/{path}"


def _head(key: str, answer: Any) -> Head:
    found = read(answer, Head)
    # A checksum of parts ends in their number and has the type COMPOSITE.
    whole = found.checksum_type == "FULL_OBJECT" and "-" not in found.sha256
    return replace(found, key=key, etag=found.etag.strip('"'), sha256=found.sha256 if whole else "")
