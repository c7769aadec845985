"""S3's three reading calls over the standard library, for a verb that may find nothing to do.

In: an `Access`. Out: answers in the form of botocore's S3 client. `Undecided` for everything but a plain yes: then botocore asks
again, with its retries and its words for what is wrong.
Never: retries, follows a redirect, writes, or says why something did not succeed.

Loading botocore and making its clients takes longer than all that a publish which finds nothing to do has to ask (docs/performance.md).
"""

from __future__ import annotations

import http.client
import io
import ssl
from collections.abc import Callable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit
from xml.etree import ElementTree

from direct.settings import Access
from direct.signing import Request, path_of, query_of, signed
from guards import masks
from guards.slow_answers import SteadyResponse

TIMEOUT = 5.0
"""Seconds for a connection, and for each read of it."""
MOST = 64 * 1024 * 1024
"""Bytes of an answer; what is read whole here has a few hundred thousand."""
_GLOBAL = "us-east-1"
"""Region that botocore asks at S3's address without a region, unless AWS_S3_US_EAST_1_REGIONAL_ENDPOINT says otherwise."""
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Undecided(Exception):
    """S3 did not say yes."""


class Client:
    """As much of botocore's S3 client as `aws.s3.S3` needs to read. Usable from any thread; every call has its own connection."""

    def __init__(self, access: Access, region: str, now: Callable[[], datetime]) -> None:
        self._access, self._region, self._now = access, region, now
        masks.hide(access.keys.access_key, access.keys.secret_key, access.keys.token)
        self._tls = None if access.endpoint.startswith("http:") else ssl.create_default_context(cafile=access.trust or _trusted())

    def get_object(self, *, Bucket: str, Key: str, ExpectedBucketOwner: str) -> dict[str, Any]:
        """An object whole."""
        head, body = self._ask("GET", Bucket, Key, {}, ExpectedBucketOwner)
        return {**head, "Body": io.BytesIO(body)}

    def head_object(self, *, Bucket: str, Key: str, ExpectedBucketOwner: str) -> dict[str, Any]:
        """What is there."""
        return self._ask("HEAD", Bucket, Key, {}, ExpectedBucketOwner)[0]

    def list_objects_v2(self, *, Bucket: str, Prefix: str, ExpectedBucketOwner: str, ContinuationToken: str = "") -> dict[str, Any]:
        """A page of a listing. Keys come encoded, as XML cannot carry every character."""
        query = {"list-type": "2", "prefix": Prefix, "encoding-type": "url"}
        if ContinuationToken:
            query["continuation-token"] = ContinuationToken
        _, body = self._ask("GET", Bucket, "", query, ExpectedBucketOwner)
        try:
            return _listing(ElementTree.fromstring(body))  # noqa: S314  (S3's own, over TLS; expat bounds what entities become)
        except (ElementTree.ParseError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
            raise Undecided from error

    def _ask(self, method: str, bucket: str, key: str, query: dict[str, str], owner: str) -> tuple[dict[str, Any], bytes]:
        # A name with dots fits no certificate as a host name.
        own = not self._access.endpoint and "." not in bucket
        region = "" if self._region == _GLOBAL else f".{self._region}"
        endpoint = self._access.endpoint or f"https://{f'{bucket}.' if own else ''}s3{region}.amazonaws.com"
        try:
            request = Request(
                method=method,
                host=urlsplit(endpoint).netloc,
                path=path_of(*((key,) if own else filter(None, (bucket, key)))),
                query=query_of(query),
                headers={"x-amz-expected-bucket-owner": owner},
            )
            headers = signed(request, self._access.keys, self._region, self._now())
            connection = self._connection(request.host)
            try:
                connection.request(method, f"{request.path}?{request.query}" if request.query else request.path, headers=headers)
                answer = connection.getresponse()
                if answer.status != 200:
                    raise Undecided
                body = _whole(answer)
            finally:
                connection.close()
            size = len(body) if method == "GET" else int(answer.headers["Content-Length"])
        except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
            raise Undecided from error
        return {"ContentLength": size, "ETag": answer.headers.get("ETag")}, body

    def _connection(self, host: str) -> http.client.HTTPConnection:
        plain, context = http.client.HTTPConnection, self._tls
        made = plain(host, timeout=TIMEOUT) if context is None else http.client.HTTPSConnection(host, timeout=TIMEOUT, context=context)
        made.response_class = SteadyResponse
        return made


def _trusted() -> str:
    """The file of certificates that botocore trusts where nothing else is set (botocore.httpsession.get_cert_path)."""
    for package in ("certifi", "botocore"):
        found = find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            if Path(folder, "cacert.pem").is_file():
                return str(Path(folder, "cacert.pem"))
    raise FileNotFoundError("cacert.pem")


def _whole(answer: http.client.HTTPResponse) -> bytes:
    """All of a body that says where it ends. Raises `Undecided`, HTTPException for half of one."""
    if answer.length is None and not answer.chunked:
        raise Undecided
    if answer.length is not None:
        if answer.length > MOST:
            raise Undecided
        return answer.read()
    body = answer.read(MOST + 1)
    if len(body) > MOST:
        raise Undecided
    return body


def _listing(root: ElementTree.Element) -> dict[str, Any]:
    name = _NAMESPACE if root.tag.startswith("{") else ""
    if root.tag != f"{name}ListBucketResult":
        raise ValueError(root.tag)
    encoded = root.findtext(f"{name}EncodingType") == "url"
    contents = []
    for item in root.findall(f"{name}Contents"):
        key = item.findtext(f"{name}Key", "")
        modified = datetime.fromisoformat(item.findtext(f"{name}LastModified", ""))
        if modified.tzinfo is None:
            raise ValueError("a time without its zone")
        contents.append(
            {
                "Key": unquote_plus(key) if encoded else key,
                "Size": int(item.findtext(f"{name}Size", "")),
                "ETag": item.findtext(f"{name}ETag"),
                "LastModified": modified,
            }
        )
    truncated = {"true": True, "false": False}.get(root.findtext(f"{name}IsTruncated", ""))
    if truncated is None:
        raise ValueError("a listing that does not say whether it goes on")
    return {"Contents": contents, "IsTruncated": truncated, "NextContinuationToken": root.findtext(f"{name}NextContinuationToken")}
