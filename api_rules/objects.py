"""What S3 refuses in a request, whatever its bucket holds.

In: a request. Out: code, words and status of S3's refusal, or None.
Never: reads an object.

Sources: Amazon S3 User Guide, "Naming Amazon S3 objects" (1,024 bytes of UTF-8), "Working with object metadata" (2 KB), "Verifying bucket
ownership with bucket owner condition", "Policies and permissions" (20 KB); API Reference, DeleteObjects (1,000 keys), PutObject
(If-None-Match takes `*`), CopyObject (a copy onto itself changes something), CompleteMultipartUpload (parts of 5 MB), error responses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

KEY_BYTES, METADATA_BYTES, POLICY_BYTES, KEYS_AT_ONCE = 1024, 2048, 20 * 1024, 1000

_CHANGING = ("x-amz-metadata-directive", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-tagging-directive")
_STATEMENT = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
Refusal = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request. Names of headers are lower case."""

    method: str
    bucket: str
    key: str
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    body: bytes

    @property
    def copied(self) -> str:
        """BUCKET/KEY that is to be copied; empty in any other request."""
        return unquote(self.headers.get("x-amz-copy-source", "")).lstrip("/")


def refusal(asked: Asked, owner_of: Callable[[str], str | None]) -> Refusal | None:
    """`owner_of`: the account of a bucket, None if there is none."""
    return _ownership(asked, owner_of) or _object(asked) or _bucket(asked)


def _ownership(asked: Asked, owner_of: Callable[[str], str | None]) -> Refusal | None:
    source = asked.copied.partition("/")[0]
    for header, bucket in (("x-amz-expected-bucket-owner", asked.bucket), ("x-amz-source-expected-bucket-owner", source)):
        expected = asked.headers.get(header)
        if expected and owner_of(bucket) not in (None, expected):
            return "AccessDenied", "Access Denied", 403
    return None


def _object(asked: Asked) -> Refusal | None:
    if len(asked.key.encode("utf-8", "surrogateescape")) > KEY_BYTES:
        return "KeyTooLongError", "Your key is too long", 400
    own = {name.removeprefix("x-amz-meta-"): value for name, value in asked.headers.items() if name.startswith("x-amz-meta-")}
    if sum(len(name) + len(value.encode()) for name, value in own.items()) > METADATA_BYTES:
        return "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400
    if asked.method != "PUT" or not asked.key:
        return None
    if asked.headers.get("if-none-match", "*") != "*":
        return "NotImplemented", "A header you provided implies functionality that is not implemented", 501
    if asked.copied == f"{asked.bucket}/{asked.key}" and not any(name in asked.headers for name in _CHANGING):
        words = (
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata,"
            " storage class, website redirect location or encryption attributes."
        )
        return "InvalidRequest", words, 400
    return None


def _bucket(asked: Asked) -> Refusal | None:
    if asked.key:
        return None
    if asked.method == "POST" and "delete" in asked.query and len(re.findall(rb"<Object>", asked.body)) > KEYS_AT_ONCE:
        return "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", 400
    if asked.method == "PUT" and "policy" in asked.query:
        words = policy_problem(asked.body, asked.bucket)
        return ("MalformedPolicy", words, 400) if words else None
    return None


def policy_problem(body: bytes, bucket: str) -> str:
    """What S3 says of a bucket policy; "" for one that it takes. Actions and principals that do not exist are not told here."""
    if len(body) > POLICY_BYTES:
        return f"Policy exceeds the maximum allowed document size of {POLICY_BYTES} bytes."
    try:
        policy = json.loads(body)
        statements = policy["Statement"]
    except (ValueError, TypeError):
        return "Policies must be valid JSON and the first byte must be '{'"
    except KeyError:
        return "Missing required field Statement"
    return next(
        filter(None, (_statement_problem(each, bucket) for each in (statements if isinstance(statements, list) else [statements]))), ""
    )


def _statement_problem(statement: Mapping[str, Any], bucket: str) -> str:
    if unknown := statement.keys() - _STATEMENT:
        return f"Unknown field {min(unknown)}"
    for name in ("Principal", "Action", "Resource"):
        if not {name, f"Not{name}"} & statement.keys():
            return f"Missing required field {name}"
    named = statement.get("Resource", statement.get("NotResource"))
    ours = re.compile(rf"arn:aws[a-z-]*:s3:::{re.escape(bucket)}(/.*)?")
    return "" if all(ours.fullmatch(str(arn)) for arn in (named if isinstance(named, list) else [named])) else "Policy has invalid resource"
