"""What is verified, and what comes of it.

In: values. Out: `Target`, `Result`; the three ways in which a check ends without passing. Never: asks anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from assembly.model import Frozen, SiteContract
from aws.s3 import Head

NOT_ASKED = "credentials of AWS: run it without --no-aws"

Status = Literal["passed", "failed", "skipped"]


class Result(Frozen, frozen=True, kw_only=True):
    """One promise of the contract and what became of it."""

    id: str
    title: str
    status: Status
    detail: str
    """What was seen; for a failure also what was wanted."""
    give: str = ""
    """Of a skipped one: what the caller can give so that it is made; empty where it cannot be made from here at all."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where to connect instead of asking DNS."""

    host: str
    port: int
    tls: bool = True
    """False: a preview that speaks plain HTTP in place of HTTPS."""


@dataclass(frozen=True, kw_only=True)
class Replica:
    """What the copy of the site bucket must have."""

    keys: frozenset[str]
    """Of the live release."""
    head: Callable[[str], Head | None]
    """Asks S3 for one object of the source bucket; raises `AwsError`."""
    unlike: Callable[[], tuple[str, ...]]
    """Keys of the live release that the replica has not with the release's bytes; raises `AwsError`."""
    readers: Callable[[], tuple[str, ...]]
    """How the policies of the two buckets differ, a line each; raises `AwsError`."""


SPELLED_TWICE = re.compile("[~@*]")
"""A character that a URL may have as it is or percent-encoded; an edge keeps both addresses apart."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What to look at, and how."""

    contract: SiteContract
    username: str = ""
    password: str = field(default="", repr=False)
    """Empty: checks that need it are skipped."""
    distribution_domain: str = ""
    """CloudFront's own name of the distribution; empty: not known here."""
    bucket_url: str = ""
    """URL of the bucket itself, which must not answer; empty: not known here."""
    index_sha256: str = ""
    """Of the released index document; empty: not known here."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Released files whose paths have two spellings in a URL, and their SHA-256."""
    endpoint: Endpoint | None = None
    plain_endpoint: Endpoint | None = None
    """For the redirect from http, together with `endpoint`."""
    preview: bool = False
    """`endpoint` is a preview, which speaks no HTTP/3."""
    ca_file: str = ""
    nameservers: tuple[tuple[str, int], ...] = ()
    """Empty: those of this machine."""
    replica: Replica | str | None = None
    """The copy of disaster recovery; a text: why it is not looked at; None: the environment has none."""
    browser: str = ""
    """A Chromium to look with; empty: none."""
    timeout: float = 15.0
    """Seconds for each request."""


class Failed(Exception):
    """The promise is broken."""


class Skipped(Exception):
    """It cannot be looked at from here; `give`: unless the caller gives that."""

    def __init__(self, reason: str, give: str = "") -> None:
        super().__init__(reason)
        self.give = give


class NotApplicable(Exception):
    """The environment makes no such promise: there is no result."""
