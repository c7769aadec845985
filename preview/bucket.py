"""The content of a bucket that was published to, for `--local` that of the local AWS."""

from __future__ import annotations

from datetime import UTC, datetime

from aws.errors import AwsError, NotFound
from aws.s3 import S3
from preview.content import Fetched, Object, Unreachable


def bucket_content(s3: S3) -> Fetched:
    """Each object as it is when it is asked for; what S3 answers instead is `Unreachable`."""

    def get(bucket: str, key: str) -> Object | None:
        try:
            stored = s3.get(bucket, key)
        except NotFound:
            return None
        except AwsError as error:
            raise Unreachable(str(error)) from None
        head = stored.head
        return Object(
            body=stored.body,
            content_type=head.content_type,
            cache_control=head.cache_control,
            content_encoding=head.content_encoding,
            etag=head.etag,
            modified=head.modified or datetime.fromtimestamp(0, UTC),
        )

    def keys(bucket: str) -> tuple[str, ...]:
        try:
            return tuple(head.key for head in s3.list(bucket))
        except AwsError as error:
            raise Unreachable(str(error)) from None

    return Fetched(get, keys)
