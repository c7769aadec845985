"""What was applied, when, by whom and how long it took: records and assemblies kept in the artifact bucket.

In: a bucket (`aws.s3.S3`), an assembly with its templates, what came of an apply. Out: `Record` values, newest first; kept assemblies,
whose digests are checked when they are read again; expected durations.
Never: writes over a record or an assembly, keeps an output or a secret, fails an apply (who calls decides what a failed write means).

Keys: `history/ENVIRONMENT/TIME-PLANDIGEST.json` for records, so that a listing is in order of time; `assemblies/DIGEST/FILE` for
assemblies, the manifest last, so that one with a manifest is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Literal, Protocol

import msgspec

from assembly import files
from assembly.model import FORMAT as ASSEMBLY_FORMAT
from assembly.model import Assembly, Frozen
from aws.errors import AwsError, Conflict, NotFound
from aws.s3 import Head, Headers, Stored
from guards import documents

FORMAT = 1
"""Version of a record; others are named as such when the history is read."""

Result = Literal["succeeded", "failed", "interrupted"]


class StackRecord(Frozen, frozen=True, kw_only=True):
    """One stack or StackSet of an apply."""

    stack: str
    operation: str
    """As planned: create, update, settings, instances."""
    result: str
    """succeeded, unchanged, failed, running, not_started."""
    seconds: float
    status: str = ""
    """CloudFormation's, at the end."""
    resources: int = 0


class ContentRecord(Frozen, frozen=True, kw_only=True):
    """The content of an apply."""

    result: str
    """succeeded, unchanged, failed, refused, interrupted, not_started."""
    release: int
    content: str
    """Digest of the built files."""
    written: int
    """Files."""
    seconds: float


class Record(Frozen, frozen=True, kw_only=True):
    """One apply."""

    format: int = FORMAT
    environment: str
    project: str
    assembly_digest: str
    plan_digest: str
    git_commit: str
    """That the assembly was built from; empty where there was no git checkout, with "-dirty" where it had changes."""
    rollback: bool = False
    """The assembly was not built for this apply, but taken out of this history."""
    by: str
    host: str
    started_at: str
    """ISO 8601, UTC."""
    seconds: float
    result: Result
    message: str = ""
    stacks: tuple[StackRecord, ...] = ()
    content: ContentRecord | None = None
    """None where the plan was about the stacks alone."""


class Bucket(Protocol):
    """`aws.s3.S3`, as far as history needs it."""

    def put(
        self, bucket: str, key: str, body: bytes, *, headers: Headers | None = None, if_absent: bool = False, if_match: str | None = None
    ) -> Head: ...

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> Stored: ...

    def head(self, bucket: str, key: str) -> Head | None: ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[Head]: ...


_JSON = Headers(content_type="application/json")


def keep(bucket: Bucket, name: str, assembly: Assembly, templates: Mapping[str, bytes]) -> None:
    """Put the assembly into the bucket, unless it is there whole. `templates` by stack id. Raises `AwsError`."""
    prefix = _assembly_prefix(assembly.digest)
    if bucket.head(name, prefix + files.MANIFEST) is not None:
        return
    for stack in assembly.stacks:
        _put_once(bucket, name, prefix + stack.template.file, templates[stack.id])
    _put_once(bucket, name, prefix + files.MANIFEST, files.manifest_bytes(assembly))


def _put_once(bucket: Bucket, name: str, key: str, body: bytes) -> None:
    """The key names the content, so one that is there is the same."""
    try:
        bucket.put(name, key, body, headers=_JSON, if_absent=True)
    except Conflict:
        return


class _Template(msgspec.Struct):
    file: str


class _Stack(msgspec.Struct):
    template: _Template


class _Manifest(msgspec.Struct):
    stacks: tuple[_Stack, ...]


def fetch(bucket: Bucket, name: str, digest: str) -> dict[str, bytes]:
    """The files of a kept assembly by name, for `assembly.files.write`, which `assembly.files.read` then checks.

    Raises `NotFound`; `documents.Unreadable` if its manifest does not say what belongs to it.
    """
    prefix = _assembly_prefix(digest)
    manifest = bucket.get(name, prefix + files.MANIFEST).body
    found = {files.MANIFEST: manifest}
    for stack in documents.decode(manifest, _Manifest).stacks:
        found[stack.template.file] = bucket.get(name, prefix + stack.template.file).body
    return found


def manifest(bucket: Bucket, name: str, digest: str, environment: str) -> Assembly:
    """A kept assembly without its templates. Raises `AwsError`, `documents.Unreadable`, `NotAsApplied`."""
    body = bucket.get(name, _assembly_prefix(digest) + files.MANIFEST).body
    return _as_applied(body, digest, environment)[0]


class NotAsApplied(Exception):
    """A kept assembly that cannot be used; the words go on after its name."""


def verified(found: Mapping[str, bytes], digest: str, environment: str) -> Assembly:
    """The assembly of these files, if they are exactly the one of that digest. Raises `NotAsApplied` with every problem."""
    assembly, problems = _as_applied(found.get(files.MANIFEST, b""), digest, environment, strict=False)
    for stack in assembly.stacks:
        name = stack.template.file
        if Path(name).name != name:
            problems.append(f"{name!r} is not a plain file name")
        elif name not in found:
            problems.append(f"{name} is missing")
        elif files.sha256(found[name]) != stack.template.sha256:
            problems.append(f"{name} is not the template that was applied (sha256 differs)")
    if problems:
        raise NotAsApplied(f"is damaged: {'; '.join(problems)}; nothing was restored")
    return assembly


def _as_applied(body: bytes, digest: str, environment: str, *, strict: bool = True) -> tuple[Assembly, list[str]]:
    """The assembly of a manifest, and what is wrong with it; with `strict` that is raised as `NotAsApplied`."""
    try:
        assembly = documents.decode(body, Assembly)
    except documents.Unreadable as error:
        raise NotAsApplied(f"cannot be read by this version: {error}") from error
    problems = []
    if assembly.format != ASSEMBLY_FORMAT:
        problems.append(f"it is of format {assembly.format}, this version reads format {ASSEMBLY_FORMAT}")
    if assembly.environment != environment:
        problems.append(f"it is of the environment {assembly.environment}")
    # The same value in other bytes is not what was applied either.
    if files.assembly_digest(assembly) != digest or assembly.digest != digest or body != files.manifest_bytes(assembly):
        problems.append("its manifest is not the one that was applied (the digest differs)")
    if strict and problems:
        raise NotAsApplied(f"is damaged: {'; '.join(problems)}")
    return assembly, problems


def save(bucket: Bucket, name: str, record: Record) -> str:
    """Write a record; its key. The same record twice is one. Raises `AwsError`."""
    key = _record_key(record)
    _put_once(bucket, name, key, files.canonical_json(msgspec.to_builtins(record)))
    return key


class Damaged(Frozen, frozen=True, kw_only=True):
    """A record that is there and says nothing."""

    key: str
    reason: str


class History(Frozen, frozen=True, kw_only=True):
    """The latest records, newest first, and what stood between them and could not be read."""

    records: tuple[Record, ...] = ()
    damaged: tuple[Damaged, ...] = ()


def read(bucket: Bucket, name: str, environment: str, *, limit: int = 20) -> History:
    """The latest records; none where there is no bucket yet. Raises `AwsError`."""
    try:
        keys = [found.key for found in bucket.list(name, _record_prefix(environment))]
    except NotFound:
        return History()
    found: list[Record] = []
    damaged: list[Damaged] = []
    for key in reversed(keys):
        # Whoever fills the folder with rubbish does not make everybody read all of it.
        if len(found) == limit or len(damaged) > limit:
            break
        try:
            found.append(_record(bucket.get(name, key).body, key))
        except NotFound:
            continue
        except documents.Unreadable as error:
            damaged.append(Damaged(key=key, reason=str(error)))
    return History(records=tuple(found), damaged=tuple(damaged))


def records(bucket: Bucket, name: str, environment: str, *, limit: int = 20) -> tuple[Record, ...]:
    """Those that can be read. Raises `AwsError`."""
    return read(bucket, name, environment, limit=limit).records


class _Format(msgspec.Struct):
    format: int


def _record(body: bytes, key: str) -> Record:
    """The key names the environment, too. Raises `assembly.files.Unreadable`."""
    written = documents.decode(body, _Format).format
    if written != FORMAT:
        raise documents.Unreadable(f"format {written}, this version reads format {FORMAT}")
    record = documents.decode(body, Record)
    if _record_key(record) != key:
        raise documents.Unreadable("another apply's record than its name says")
    return record


def expected_seconds(past: Iterable[Record]) -> dict[tuple[str, str], float]:
    """How long a stack took before, by stack and operation: the median of its successful runs."""
    seen: dict[tuple[str, str], list[float]] = {}
    for record in past:
        for stack in record.stacks:
            if stack.result in ("succeeded", "removed") and stack.seconds > 0:
                seen.setdefault((stack.stack, stack.operation), []).append(stack.seconds)
    return {key: median(values) for key, values in seen.items()}


def expected_or_none(bucket: Bucket, name: str, environment: str) -> dict[tuple[str, str], float]:
    """`expected_seconds` of the last five records; empty where they cannot be read, since nothing depends on them."""
    try:
        return expected_seconds(records(bucket, name, environment, limit=5))
    except AwsError:
        return {}


def _assembly_prefix(digest: str) -> str:
    return f"assemblies/{digest}/"


def _record_key(record: Record) -> str:
    return f"{_record_prefix(record.environment)}{record.started_at}-{record.plan_digest[:12]}.json"


def _record_prefix(environment: str) -> str:
    return f"history/{environment}/"
