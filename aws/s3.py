"""S3: objects with conditional writes, listings, and URLs that CloudFormation can read a template from.

In: bucket, key, bytes. Out: frozen values. `Conflict` where a condition did not hold, `NotFound` where nothing is there.
Never: makes or deletes a bucket, changes an object's access, or falls for another account's bucket (requests name the owner they expect).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aws.errors import NotFound, Origin, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Head:
    """What S3 says of an object. `etag` without quotes; `version_id` only in a versioned bucket."""

    key: str
    size: int
    etag: str
    version_id: str | None = None
    content_type: str = ""
    cache_control: str = ""
    content_encoding: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    modified: datetime | None = None
    sha256: str = ""
    """Base64; S3 compared it with the object's bytes when they were written. "" if none was asked for or stored, or one of parts only."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object and its bytes."""

    head: Head
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Headers:
    """Headers an object is served with; empty ones are not sent."""

    content_type: str = "application/octet-stream"
    cache_control: str = ""
    content_encoding: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class S3:
    """The buckets of one account, asked in one region. Usable from any thread."""

    client: S3Client
    account_id: str
    region: str

    @classmethod
    def connect(cls, aws: Aws, *, account_id: str, region: str, role_arn: str | None = None) -> S3:
        """`region` must be the bucket's own."""
        return cls(aws.client("s3", account_id=account_id, region=region, role_arn=role_arn), account_id, region)

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the account has it; `AccessDenied` if it belongs to somebody else, or may not be seen."""
        try:
            self.client.head_bucket(Bucket=bucket, ExpectedBucketOwner=self.account_id)
        except NotFound:
            return False
        return True

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
        return Head(
            key=key,
            size=len(body),
            etag=answer["ETag"].strip('"'),
            version_id=answer.get("VersionId"),
            content_type=headers.content_type,
            cache_control=headers.cache_control,
            content_encoding=headers.content_encoding,
            metadata=headers.metadata,
        )

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored:
        """An object whole, in memory. `NotFound` if it is not there."""
        version: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        answer = self.client.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.account_id, **version)
        with translated(Origin(service="s3", operation="GetObject", account=self.account_id, region=self.region)):
            body = answer["Body"].read()
        return Stored(head=_head(key, answer), body=body)

    def head(self, bucket: str, key: str, *, checksum: bool = False) -> Head | None:
        """What is there, or None. Without s3:ListBucket a missing key is an `AccessDenied`. `checksum`: with its SHA-256, if stored."""
        mode: dict[str, Any] = {"ChecksumMode": "ENABLED"} if checksum else {}
        try:
            return _head(key, self.client.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=self.account_id, **mode))
        except NotFound:
            return None

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        """Every object below a prefix, in key order, page by page (1,000 each); without content type, metadata and the like."""
        more: dict[str, Any] = {}
        while True:
            answer = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix, ExpectedBucketOwner=self.account_id, **more)
            for found in answer.get("Contents", []):
                yield Head(key=found["Key"], size=found["Size"], etag=found["ETag"].strip('"'), modified=found["LastModified"])
            if not answer["IsTruncated"]:
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

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
    return Head(
        key=key,
        size=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        version_id=answer.get("VersionId"),
        content_type=answer.get("ContentType", ""),
        cache_control=answer.get("CacheControl", ""),
        content_encoding=answer.get("ContentEncoding", ""),
        metadata=dict(answer.get("Metadata", {})),
        modified=answer.get("LastModified"),
        sha256=_whole(answer),
    )


def _whole(answer: Any) -> str:
    """The checksum of the whole object; one of parts ends in their number and has the type COMPOSITE."""
    found: str = answer.get("ChecksumSHA256", "")
    return "" if answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT" or "-" in found else found
