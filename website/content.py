"""What a built front end consists of: its files, their digests, the headers each is served with, and what is wrong with it.

In: a directory that a bundler wrote, and the environment's `SiteContract`.
Out: `Content`, the files in the order in which they are published; `SourceError` with every reason not to publish them.
Never: talks to AWS, changes a file, compresses one, leaves the directory (website/folder.py), reads more of a file at once than a block.

What the checks cannot see: assets that scripts ask for by names they compute, and secrets that look like nothing in leaks.py.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from assembly import error_pages
from assembly.files import canonical_json
from assembly.model import CacheRule, Frozen, SiteContract
from files.hashes import hashed_folders, hashed_names, seems_hashed
from files.leaks import SEARCHED, leak
from files.names import idle, left_out, named, select
from files.types import COMPRESS_TO, PRECOMPRESSED, content_type, uncompressed
from guards.text import printable
from pages.findings import Allowances, Finding
from pages.routing import answered_with_the_page
from website.errors import SourceError
from website.folder import FolderFile, open_file, walk
from website.judging import allowances, judged, note, refusal, surroundings

ROBOTS = "robots.txt"
"""Ours where search engines are not welcome. Only at the root of a domain do they look for it."""
CONFIG_FILE = "config.json"
"""Runtime configuration beside the index document; where the environment has one it takes the place of the build's own."""

SIZE_LIMIT = 5 * 1024**3
"""Bytes that one PutObject takes (Amazon S3 User Guide)."""

BLOCK = 2 << 20
"""Bytes that are read at once, and that are searched for secrets at the head of a text file."""

ANNOUNCING = ("sw.js", "sw.mjs", "*-sw.js", "service-worker.js", "*service_worker.js", "ngsw-worker.js", "ngsw.json", "version.json")
"""Names of service workers, and of what tells an open tab that there is a new release: Angular's worker compares the page with the
digest in ngsw.json and gives up where the page is still the old one; SvelteKit's tabs ask for _app/version.json and load again."""

Rank = Literal[0, 1, 2, 3, 4]
"""Place in the order of publication: immutable files; other files; pages; the index document; what has pages fetched again."""


class FileEntry(Frozen, frozen=True, kw_only=True):
    """One object of a release as it is to stand in the bucket."""

    key: str
    sha256: str
    md5: str
    """Hexadecimal; the ETag of an object written with one PutObject and SSE-S3 (Amazon S3 API, Object)."""
    size: int
    content_type: str
    cache_control: str
    generated: bool = False
    """Made from the environment's configuration, so no part of the content digest."""

    @property
    def immutable(self) -> bool:
        """Its name changes with its content: it is never overwritten."""
        return "immutable" in self.cache_control

    def same_object(self, other: FileEntry) -> bool:
        """Same bytes, same headers."""
        return (self.sha256, self.content_type, self.cache_control) == (other.sha256, other.content_type, other.cache_control)


@dataclass(frozen=True, kw_only=True)
class Content:
    """A checked source, ready to publish."""

    prefix: str
    """Of every key: "" or "buy/"."""
    entries: tuple[FileEntry, ...]
    """In key order."""
    files: Mapping[str, FolderFile] = field(repr=False)
    """File of each key that is not generated."""
    generated: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    allowed: frozenset[tuple[str, str]] = frozenset()
    """What somebody knows of (`Allowances.given`) that there was."""

    @property
    def digest(self) -> str:
        """Of the built files alone, the same in every environment."""
        return content_digest(self.prefix, self.entries)


def content_digest(prefix: str, entries: Iterable[FileEntry]) -> str:
    """sha256 over the lines `SHA256  PATH` of the built files in path order, as sha256sum prints them."""
    digest = hashlib.sha256()
    for path, entry in sorted((e.key.removeprefix(prefix), e) for e in entries if not e.generated):
        digest.update(f"{entry.sha256}  {path}\n".encode())
    return digest.hexdigest()


def key_prefix(contract: SiteContract) -> str:
    """What stands before every key: the directory of the index document."""
    folder = contract.index_document.strip("/").rpartition("/")[0]
    return f"{folder}/" if folder else ""


def cache_control(key: str, rules: Iterable[CacheRule]) -> str:
    """The Cache-Control of a key: the first rule that matches; "" if none does. A precompressed file follows what it stands for."""
    name = next((key.removesuffix(suffix) for suffix in PRECOMPRESSED if key.endswith(suffix)), key)
    return next((rule.cache_control for rule in rules if fnmatch.fnmatchcase(name, rule.pattern)), "")


def rank(entry: FileEntry, index_key: str) -> Rank:
    """When an object is published: what others refer to goes first."""
    name = entry.key.rsplit("/", 1)[-1]
    if entry.key == index_key:
        return 3
    if entry.content_type.startswith("text/html"):
        return 2
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in ANNOUNCING):
        return 4
    return 0 if entry.immutable else 1


def read(
    directory: Path,
    contract: SiteContract,
    *,
    allow: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    judge: bool = True,
    workers: int = 2,
) -> Content:
    """Scan, check and digest a directory, search it for secrets, and judge its pages.

    `allow`: what somebody knows of, as CODE or CODE:PATTERN (pages/findings.py); `exclude`: patterns of paths to leave out. Both beside
    those of the contract. `judge`: False leaves pages and secrets, which take most of the time, to `with_pages_judged`: for content that
    may turn out to be live already, when both have been judged.
    Raises SourceError with everything that is wrong; OSError where the directory cannot be read.
    """
    if not directory.is_dir():
        raise SourceError((f"{directory}: no such directory; build the front end first, for example: npm run build",))
    allowed = _allowed(contract, allow)
    prefix, index_name = key_prefix(contract), contract.index_document.rsplit("/", 1)[-1]
    listing = walk(directory, left_out((*contract.publishing_exclude, *exclude)))
    selection = select(listing.files, listing.left, prefix)
    found, notes = dict(selection.files), list(selection.notes)
    notes += (f"--exclude {pattern}: there is no such file" for pattern in idle(exclude, listing.left))
    problems = [*listing.problems, *(f"{printable(str(directory / path))}: {problem}" for path, problem in selection.problems)]
    generated = generated_files(prefix, contract, found)
    for key in generated:
        if found.pop(key.removeprefix(prefix), None) is not None:
            notes.append(f"{key.removeprefix(prefix)} of the build gives way to the one of the environment")
    if index_name not in found:
        problems.append(f"{printable(str(directory))}: no {index_name}; is this the directory that the build wrote (dist, build)?")
    with ThreadPoolExecutor(workers) as pool:
        inspected = dict(zip(found, pool.map(partial(_inspected, directory), found.values()), strict=True))
    entries = [_entry(prefix + relative, seen, contract.cache_rules) for relative, seen in inspected.items()]
    problems += (f"{printable(str(directory / relative))}: {seen.problem}" for relative, seen in inspected.items() if seen.problem)
    entries += (generated_entry(key, body, contract.cache_rules) for key, body in generated.items())
    files = {prefix + relative: FolderFile(root=directory, relative=file) for relative, file in found.items()}
    content = Content(prefix=prefix, entries=tuple(sorted(entries, key=lambda e: e.key)), files=files, generated=generated)
    first = (*selection.findings, *_taken_for_routes(prefix, found, contract))
    refusals, told = allowed.sorted(first)
    problems += (refusal(finding, str(directory)) for finding in refusals)
    notes += _of_caching(entries, prefix)
    notes += named(
        f"not compressed for visitors, since CloudFront compresses up to {COMPRESS_TO:,} bytes, and no other types than it lists",
        [entry.key.removeprefix(prefix) for entry in entries if uncompressed(entry.content_type, entry.size)],
    )
    notes += named(
        f"at exactly these addresses only, since every route of the app shows {index_name}",
        [p for p in found if p.endswith(".html") and not {p, f"/{prefix}{p}"} & {index_name, contract.not_found_page, contract.error_page}],
    )
    content = replace(content, notes=(*notes, *(note(finding) for finding in told)), allowed=allowed.used(first))
    if judge or problems:
        content = with_pages_judged(content, contract, allow=allow, problems=tuple(problems), where=str(directory))
    return content


def with_pages_judged(
    content: Content, contract: SiteContract, *, allow: tuple[str, ...] = (), problems: tuple[str, ...] = (), where: str = ""
) -> Content:
    """The same with what is to be said about its secrets and its pages. Raises SourceError for that and for `problems`."""
    cached = {entry.key: entry.cache_control for entry in content.entries}
    around = surroundings(contract, content.files, content.generated, cached)
    found, allowed = (*_leaks(content), *judged(contract, around, content.files)), _allowed(contract, allow)
    refusals, told = allowed.sorted(found)
    if refusals or problems:
        raise SourceError((*problems, *(refusal(finding, where) for finding in refusals)))
    used = content.allowed | allowed.used(found)
    given = zip(allow, Allowances.of(allow).given, strict=True)
    slips = (f"--allow {text}: there is nothing that it allows" for text, each in given if each not in used)
    return replace(content, notes=(*content.notes, *(note(finding) for finding in told), *slips))


def _leaks(content: Content) -> Iterator[Finding]:
    for key, file in content.files.items():
        if Path(file.relative).suffix.lower() not in SEARCHED:
            continue
        # What cannot be read has no digest, which is told, or has it no more, and then it is not published.
        with contextlib.suppress(OSError), file.open() as handle:
            line, what = leak(handle.read(BLOCK))
            if what:
                yield Finding(code="secret", file=key.removeprefix(content.prefix), line=line, text=what)


def _allowed(contract: SiteContract, allow: tuple[str, ...]) -> Allowances:
    try:
        return allowances(contract, allow)
    except ValueError as error:
        raise SourceError((f"--allow, publishing.allow: {error}",)) from None


def _taken_for_routes(prefix: str, found: Iterable[str], contract: SiteContract) -> Iterator[Finding]:
    """Files that visitors do not get, since the edge shows the page in their place."""
    for path in found:
        hidden = answered_with_the_page(prefix + path, contract)
        if hidden:
            yield Finding(code="taken-for-route", file=path, text=printable(hidden), note="." not in path.rpartition("/")[2])


def _of_caching(entries: Iterable[FileEntry], prefix: str) -> Iterator[str]:
    """What the cache rules do to a build that they were not written for."""
    built = {entry.key.removeprefix(prefix): entry for entry in entries if not entry.generated}
    if not any(entry.immutable for entry in built.values()):
        folders = hashed_folders(built)
        rules = ", ".join(f'"*{folder}/*"' for folder in folders)
        yield "no file matches an immutable cache rule: visitors will load everything again and again" + (
            f"; publishing.cache_rules and publishing.hashed_paths should have {rules}, whose files seem to have hashed names"
            if rules
            else ""
        )
    if patterns := hashed_names(path for path, entry in built.items() if not entry.immutable):
        rules = ", ".join(f'"{pattern}"' for pattern in patterns)
        yield f"publishing.cache_rules should have {rules}: files at the top seem to have hashed names, and browsers ask for them anew"
    yield from named(
        "served as immutable with no hash in the name, so that a browser that has one keeps it whatever is published; "
        "put them elsewhere, or an own rule before the one that matches into publishing.cache_rules",
        [path for path, entry in built.items() if entry.immutable and not seems_hashed(path)],
    )


def _entry(key: str, seen: _Inspected, rules: Iterable[CacheRule]) -> FileEntry:
    kind, cache = content_type(key), cache_control(key, rules)
    return FileEntry(key=key, sha256=seen.sha256, md5=seen.md5, size=seen.size, content_type=kind, cache_control=cache)


def generated_files(prefix: str, contract: SiteContract, shipped: Iterable[str]) -> dict[str, bytes]:
    """What is made from the environment's configuration, by key. `shipped`: the build's own paths."""
    made = {} if contract.config_json is None else {prefix + CONFIG_FILE: canonical_json(contract.config_json)}
    if not contract.indexing and prefix == "":
        made[ROBOTS] = b"User-agent: *\nDisallow: /\n"
    own = frozenset(prefix + path for path in shipped)
    for page, body in ((contract.not_found_page, error_pages.not_found), (contract.error_page, error_pages.unavailable)):
        if page and page.lstrip("/") not in own:
            made[page.lstrip("/")] = body(contract.domain, contract.entry_path)
    return made


def generated_entry(key: str, body: bytes, rules: Iterable[CacheRule]) -> FileEntry:
    """The entry of an object that no file stands for."""
    return FileEntry(
        key=key,
        sha256=hashlib.sha256(body).hexdigest(),
        md5=hashlib.md5(body, usedforsecurity=False).hexdigest(),
        size=len(body),
        content_type=content_type(key),
        cache_control=cache_control(key, rules),
        generated=True,
    )


def base64_digest(hexadecimal: str) -> str:
    """A digest as S3's checksum headers want it."""
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


@dataclass(frozen=True, kw_only=True)
class _Inspected:
    """One reading of a file."""

    sha256: str = ""
    md5: str = ""
    size: int = 0
    problem: str = ""


def _inspected(directory: Path, file: str) -> _Inspected:
    """Reads what the file had when it was opened: one that grows meanwhile has no end, and no digest either."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    try:
        with open_file(directory, file) as handle:
            before = os.fstat(handle.fileno())
            if before.st_size > SIZE_LIMIT:
                return _Inspected(problem=f"{before.st_size:,} bytes; a file may have {SIZE_LIMIT:,}")
            while size <= before.st_size and (block := handle.read(BLOCK)):
                sha256.update(block)
                md5.update(block)
                size += len(block)
            after = os.fstat(handle.fileno())
    except OSError as error:
        return _Inspected(problem=f"cannot be read: {error.strerror}")
    if (size, before.st_mtime_ns) != (before.st_size, after.st_mtime_ns):
        return _Inspected(problem="changed while it was read; is a build still running?")
    return _Inspected(sha256=sha256.hexdigest(), md5=md5.hexdigest(), size=size)
