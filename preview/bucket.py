"""The content of a bucket that was published to, for `--local` that of the local AWS, and what CloudFront was told to forget.

In: gateways. Out: `Content`; `Invalidated` values. Never: writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aws.cloudfront import CloudFront
from aws.errors import AwsError, NotFound
from aws.s3 import S3
from gateways.origins import Buckets
from preview.access import CLOUDFRONT
from preview.content import Fetched, Object, Unreachable
from templates.policies import Statement, statements


@dataclass(frozen=True, kw_only=True)
class Invalidated:
    """An invalidation that was asked for."""

    id: str
    paths: tuple[str, ...]


def invalidations(front: CloudFront) -> Callable[[], tuple[Invalidated, ...]]:
    """Reads all of every distribution; nothing where AWS does not answer, since the next look asks again."""
    known: dict[str, Invalidated] = {}

    def read() -> tuple[Invalidated, ...]:
        try:
            for distribution in front.distributions():
                for identity in front.invalidations(distribution.id):
                    if identity not in known:
                        known[identity] = Invalidated(id=identity, paths=front.invalidated(distribution.id, identity))
        except AwsError:
            pass
        return tuple(known.values())

    return read


def regions(templates: Mapping[str, Mapping[str, Any]], where: Mapping[str, str]) -> Mapping[str, str]:
    """The region of each bucket that the templates name. `where`: that of each stack. Each is asked there, since another may be lost."""
    return {
        str(resource["Properties"]["BucketName"]): where[stack]
        for stack, template in templates.items()
        for resource in template.get("Resources", {}).values()
        if resource.get("Type") == "AWS::S3::Bucket" and "BucketName" in resource.get("Properties", {})
    }


def bucket_content(s3: Callable[[str], S3]) -> Fetched:
    """Each object as it is when it is asked for; what S3 answers instead is `Unreachable`. `s3`: that of a bucket's region, by its name."""

    def get(bucket: str, key: str) -> Object | None:
        try:
            stored = s3(bucket).get(bucket, key)
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
            return tuple(head.key for head in s3(bucket).list(bucket))
        except AwsError as error:
            raise Unreachable(str(error)) from None

    def denials(bucket: str) -> tuple[Statement, ...]:
        """A rehearsal of disaster recovery writes one beside the template. Its distribution has another id than the preview's."""
        try:
            place = s3(bucket)
            found = statements(Buckets(place.client, place.account_id).policy(bucket))
        except NotFound:
            return ()
        except AwsError as error:
            raise Unreachable(str(error)) from None
        return tuple(_of_any_distribution(each) for each in found if each.effect == "Deny" and CLOUDFRONT in each.principals.items)

    return Fetched(get, keys, denials)


def _of_any_distribution(statement: Statement) -> Statement:
    conditions = frozenset(each for each in statement.conditions if each[1].lower() != "aws:sourcearn")
    return replace(statement, conditions=conditions)
