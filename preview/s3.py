"""What S3 answers to CloudFront: an object, a listing, or S3's own errors as the bucket policy has it.

In: a bucket with its policy, its content, a request for a path. Out: a `Response` and why.
Never: writes; any method that would is refused as the bucket policy refuses it.

Source: S3 API reference, GetObject: without s3:ListBucket a missing key is 403, with it 404; a `+` in a path is a space
(rust-lang/crates.io#4891 measured it with CloudFront). Ranges and conditions: RFC 9110.
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

from preview.access import ANONYMOUS, CLOUDFRONT, Verdict, decide
from preview.content import Content, Object
from preview.messages import Headers, Request, Response
from preview.model import Bucket, Origin

_ACTIONS = {"PUT": "s3:PutObject", "POST": "s3:PutObject", "PATCH": "s3:PutObject", "DELETE": "s3:DeleteObject"}


async def answer(  # noqa: PLR0911
    origin: Origin, bucket: Bucket, content: Content, request: Request, distribution_arn: str
) -> tuple[Response, str]:
    """The bucket's response, and why it is so."""
    key = unquote_plus(f"{origin.path}{request.uri}", errors="surrogateescape").removeprefix("/")
    principal = CLOUDFRONT if origin.signed else ANONYMOUS
    # CloudFront reaches an S3 origin by HTTPS whenever the viewer does, and signed requests always.
    context = {"aws:securetransport": "true", **({"aws:sourcearn": distribution_arn} if origin.signed else {})}
    if origin.signed:
        context["aws:sourceaccount"] = distribution_arn.split(":")[4]

    policy = None if bucket.policy is None else (*bucket.policy, *await content.denials(bucket.name))

    def may(action: str, resource: str) -> Verdict:
        return decide(policy, principal, action, resource, context)

    if request.method == "OPTIONS":
        return _error(
            403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket."
        ), "S3 answers OPTIONS by its CORS rules only"
    action = _ACTIONS.get(request.method, "s3:GetObject" if key else "s3:ListBucket")
    verdict = may(action, f"{bucket.arn}/{key}" if key else bucket.arn)
    if not verdict.allowed:
        return _error(403, "AccessDenied", "Access Denied"), verdict.reason
    if action != "s3:GetObject":
        if action == "s3:ListBucket":
            return _listing(bucket.name, await content.keys(bucket.name)), f"{verdict.reason}: the root of the bucket is a listing"
        return _error(405, "MethodNotAllowed", "The preview does not write to the bucket."), "the preview does not write"
    found = await content.get(bucket.name, key)
    if found is None:
        listing = may("s3:ListBucket", bucket.arn)
        if listing.allowed:
            return _error(404, "NoSuchKey", "The specified key does not exist.", key), f"no object {key!r}; {listing.reason}"
        return _error(403, "AccessDenied", "Access Denied"), f"no object {key!r}, and {listing.reason}"
    return _object(found), f"object {key!r}; {verdict.reason}"


def _object(found: Object) -> Response:
    headers = [
        ("Content-Type", found.content_type),
        ("Last-Modified", format_datetime(found.modified.astimezone(UTC), usegmt=True)),
        ("ETag", f'"{found.etag}"'),
        ("Accept-Ranges", "bytes"),
        ("Server", "AmazonS3"),
    ]
    if found.cache_control:
        headers.append(("Cache-Control", found.cache_control))
    if found.content_encoding:
        headers.append(("Content-Encoding", found.content_encoding))
    return Response(status=200, headers=tuple(headers), body=found.body)


def _error(status: int, code: str, message: str, key: str = "") -> Response:
    detail = f"<Key>{escape(key)}</Key>" if key else ""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message>{detail}</Error>'
    headers = (("Content-Type", "application/xml"), ("Server", "AmazonS3"))
    return Response(status=status, headers=headers, body=body.encode(errors="replace"))


def _listing(bucket: str, keys: tuple[str, ...]) -> Response:
    contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys[:1000])
    truncated = str(len(keys) > 1000).lower()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{escape(bucket)}</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>{truncated}</IsTruncated>{contents}</ListBucketResult>"
    )
    return Response(status=200, headers=(("Content-Type", "application/xml"), ("Server", "AmazonS3")), body=body.encode(errors="replace"))


# --- conditions and ranges (RFC 9110), on what cache or origin gave ----------------------------------------------------


def not_modified(request: Request, response: Response) -> bool:
    """Whether If-None-Match or If-Modified-Since say that the viewer has it already."""
    if response.status != 200 or request.method not in ("GET", "HEAD"):
        return False
    tags = request.get("if-none-match")
    etag = response.get("etag")
    if tags is not None:
        weak = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in weak or (etag is not None and etag.removeprefix("W/") in weak)
    since, modified = request.get("if-modified-since"), response.get("last-modified")
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False


def ranged(request: Request, response: Response) -> Response:
    """The part that a single byte range asks for, 416, or the whole."""
    wanted = request.get("range")
    if wanted is None or response.status != 200 or request.method != "GET":
        return response
    condition = request.get("if-range")
    if condition is not None and condition not in (response.get("etag"), response.get("last-modified")):
        return response
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.strip())
    if match is None or match[0] == "bytes=-":
        return response
    size = len(response.body)
    if match[1]:
        start, end = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
    else:
        start, end = max(size - int(match[2]), 0), size - 1
    if start >= size or start > end:
        return Response(status=416, headers=(("Content-Range", f"bytes */{size}"), ("Content-Type", "application/xml")))
    part: Headers = (*response.headers, ("Content-Range", f"bytes {start}-{end}/{size}"))
    return Response(status=206, headers=part, body=response.body[start : end + 1])
