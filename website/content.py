"""What a built front end consists of: its files, their digests, the headers each is served with, and what is wrong with it.

In: a directory that a bundler wrote, and the environment's `SiteContract`.
Out: `Content`, the files in the order in which they are published; `SourceError` with every reason not to publish them.
Never: talks to AWS, changes a file, compresses one, leaves the directory (website/folder.py), reads more of a file at once than a block.

What the checks cannot see: assets that scripts ask for by names they compute, and secrets that look like nothing in `SECRET_PATTERNS`.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import mimetypes
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urljoin, urlsplit

from assembly import error_pages
from assembly.files import canonical_json
from assembly.model import CacheRule, Frozen, SiteContract
from guards.text import printable
from website.errors import SourceError
from website.folder import FolderFile, Listing, open_file, walk
from website.routing import answered_with_the_page

ROBOTS = "robots.txt"
"""Ours where search engines are not welcome. Only at the root of a domain do they look for it."""
CONFIG_FILE = "config.json"
"""Runtime configuration beside the index document; where the environment has one it takes the place of the build's own."""

KEY_LIMIT = 1024
"""Bytes of an object key in UTF-8 (Amazon S3 User Guide, object keys)."""

SIZE_LIMIT = 5 * 1024**3
"""Bytes that one PutObject takes (Amazon S3 User Guide)."""

BLOCK = 2 << 20
"""Bytes that are read at once, and that are searched for secrets at the head of a text file."""

PAGE_LIMIT = 16 << 20
"""Bytes of a page that are searched for what it loads."""

TEXT_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".htm": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".cjs": "text/javascript",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".vtt": "text/vtt",
    ".xml": "application/xml",
}
"""Sent with charset=utf-8."""

TYPES: Mapping[str, str] = {
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".ico": "image/vnd.microsoft.icon",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".jxl": "image/jxl",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".eot": "application/vnd.ms-fontobject",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".br": "application/x-brotli",
    ".zst": "application/zstd",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".glb": "model/gltf-binary",
}
"""Of what a front end ships; the rest comes from Python's own table, never from files of the machine."""

PRECOMPRESSED = (".gz", ".br", ".zst")
"""Left alone: published as they are under their own names, with the cache rule of the file they are a variant of."""

_OTHER_TYPES = mimetypes.MimeTypes(filenames=())

SECRET_NAMES = ("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "id_rsa*", "id_ed25519*", "*.env", "credentials", "*.tfstate", "*.kdbx")
SECRET_PATTERNS: Mapping[str, tuple[tuple[bytes, ...], re.Pattern[bytes]]] = {
    "a private key": ((b"PRIVATE KEY-----",), re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    "an AWS access key id": ((b"AKIA", b"ASIA"), re.compile(rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    "a GitHub token": (
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b"),
    ),
    "a Slack token": ((b"xox",), re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20,}")),
    "a Stripe secret key": ((b"k_live_",), re.compile(rb"\b[rs]k_live_[A-Za-z0-9]{20,}")),
    "a Google service account key": ((b'"private_key_id"',), re.compile(rb'"private_key_id"\s*:')),
}
"""What is looked for: literals, of which one must be there, and the pattern. The literals are found forty times faster."""

_SEARCHED = frozenset({*TEXT_TYPES, ".json", ".map", ".svg", ".webmanifest", ""})

Rank = Literal[0, 1, 2, 3, 4]
"""Place in the order of publication: immutable files; other files; pages; the index document; service workers, which fetch the pages."""


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


def content_type(key: str) -> str:
    """The Content-Type of a key, by its last suffix."""
    suffix = os.path.splitext(key)[1].lower()  # noqa: PTH122  (keys are no paths of this machine)
    if suffix in TEXT_TYPES:
        return f"{TEXT_TYPES[suffix]}; charset=utf-8"
    return TYPES.get(suffix) or _OTHER_TYPES.types_map[True].get(suffix) or "application/octet-stream"


def cache_control(key: str, rules: Iterable[CacheRule]) -> str:
    """The Cache-Control of a key: the first rule that matches; "" if none does. A precompressed variant follows its original."""
    name = next((key.removesuffix(suffix) for suffix in PRECOMPRESSED if key.endswith(suffix)), key)
    return next((rule.cache_control for rule in rules if fnmatch.fnmatchcase(name, rule.pattern)), "")


def rank(entry: FileEntry, index_key: str) -> Rank:
    """When an object is published: what others refer to goes first."""
    name = entry.key.rsplit("/", 1)[-1]
    if entry.key == index_key:
        return 3
    if entry.content_type.startswith("text/html"):
        return 2
    if name in ("sw.js", "service-worker.js", "sw.mjs") or fnmatch.fnmatchcase(name, "*-sw.js"):
        return 4
    return 0 if entry.immutable else 1


def read(directory: Path, contract: SiteContract, *, allow: tuple[str, ...] = (), workers: int = 2) -> Content:
    """Scan, check and digest a directory.

    `allow` are shell patterns of paths that pass although they are dotfiles, source maps or look like secrets.
    Raises SourceError with everything that is wrong; OSError where a file cannot be read.
    """
    if not directory.is_dir():
        raise SourceError((f"{directory}: no such directory; build the front end first, for example: npm run build",))
    prefix, index_name = key_prefix(contract), contract.index_document.rsplit("/", 1)[-1]
    notes: list[str] = []
    listing = walk(directory)
    found, problems = publishable(directory, listing, prefix, allow)
    generated = generated_files(prefix, contract, found)
    for key in generated:
        if found.pop(key.removeprefix(prefix), None) is not None:
            notes.append(f"{key.removeprefix(prefix)} of the build gives way to the one of the environment")
    if index_name not in found:
        problems.append(f"{printable(str(directory))}: no {index_name}; is this the directory that the build wrote (dist, build)?")
    with ThreadPoolExecutor(workers) as pool:
        inspected = dict(zip(found, pool.map(partial(_inspected, directory), found.values()), strict=True))
    rules = contract.cache_rules
    entries: list[FileEntry] = []
    for relative, seen in inspected.items():
        if seen.problem:
            problems.append(f"{printable(str(directory / relative))}: {seen.problem}")
        if seen.secret and not _allowed(relative, allow):
            problems.append(
                f"{printable(str(directory / relative))}:{seen.secret}; if it is meant to be public: --allow '{printable(relative)}'"
            )
        key = prefix + relative
        hidden = answered_with_the_page(key, contract)
        if hidden and "." in relative.rpartition("/")[2] and not _allowed(relative, allow):
            problems.append(
                f"{printable(str(directory / relative))}: {printable(hidden)}; if it is not asked for: --allow '{printable(relative)}'"
            )
        elif hidden:
            notes.append(printable(hidden))
        kind, cache = content_type(key), cache_control(key, rules)
        entries.append(FileEntry(key=key, sha256=seen.sha256, md5=seen.md5, size=seen.size, content_type=kind, cache_control=cache))
    entries += (generated_entry(key, body, rules) for key, body in generated.items())
    keys = frozenset(entry.key for entry in entries)
    readable = {relative: file for relative, file in found.items() if not inspected[relative].problem}
    problems.extend(_broken_references(directory, readable, prefix, keys))
    if problems:
        raise SourceError(tuple(problems))
    if not any(entry.immutable for entry in entries):
        notes.append("no file matches an immutable cache rule: visitors will load everything again and again")
    ordered = tuple(sorted(entries, key=lambda entry: entry.key))
    files = {prefix + relative: FolderFile(root=directory, relative=file) for relative, file in found.items()}
    return Content(prefix=prefix, entries=ordered, files=files, generated=generated, notes=tuple(notes))


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


# --- the directory ------------------------------------------------------------------------------------------------


def publishable(directory: Path, listing: Listing, prefix: str, allow: tuple[str, ...] = ()) -> tuple[dict[str, str], list[str]]:
    """The files of a listing that may be published by their names, as in `Listing.files`, and everything that is wrong with the others."""
    found: dict[str, str] = {}
    problems = list(listing.problems)
    for relative, file in listing.files.items():
        reason = _unfit(relative, prefix, allow)
        if reason:
            problems.append(f"{printable(str(directory / relative))}: {reason}")
        else:
            found[relative] = file
    return found, problems


def _unfit(relative: str, prefix: str, allow: tuple[str, ...]) -> str:  # noqa: PLR0911
    """Why a file must not be published by its name; "" if it may."""
    try:
        length = len((prefix + relative).encode())
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    if length > KEY_LIMIT:
        return f"the path has {length} bytes; an object key may have {KEY_LIMIT}"
    if any(ord(character) < 32 or ord(character) == 127 for character in relative) or "\\" in relative:
        return "control characters and backslashes have no place in a URL"
    if _allowed(relative, allow):
        return ""
    if "+" in relative:
        return f"S3 reads a + in a URL as a space; rename the file, or, if it is asked for by %2B: --allow '{printable(relative)}'"
    allowing = f"; if it is meant to be public: --allow '{printable(relative)}'"
    parts = relative.split("/")
    if any(part.startswith(".") for part in (parts if parts[0] != ".well-known" else parts[1:])):
        return f"a dotfile{allowing}"
    if relative.endswith(".map"):
        return "a source map shows the source to everybody (vite: build.sourcemap 'hidden' or false)" + allowing
    if any(fnmatch.fnmatchcase(parts[-1].lower(), pattern) for pattern in SECRET_NAMES):
        return f"looks like a file with secrets{allowing}"
    return ""


def _allowed(relative: str, allow: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(relative, pattern) for pattern in allow)


@dataclass(frozen=True, kw_only=True)
class _Inspected:
    """One reading of a file; `secret`: where which one stands, or ""."""

    sha256: str = ""
    md5: str = ""
    size: int = 0
    secret: str = ""
    problem: str = ""


def _inspected(directory: Path, file: str) -> _Inspected:
    """Reads what the file had when it was opened: one that grows meanwhile has no end, and no digest either."""
    sha256, md5, size, secret = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0, ""
    try:
        with open_file(directory, file) as handle:
            before = os.fstat(handle.fileno())
            if before.st_size > SIZE_LIMIT:
                return _Inspected(problem=f"{before.st_size:,} bytes; a file may have {SIZE_LIMIT:,}")
            while size <= before.st_size and (block := handle.read(BLOCK)):
                if size == 0 and Path(file).suffix.lower() in _SEARCHED:
                    secret = _secret(block)
                sha256.update(block)
                md5.update(block)
                size += len(block)
            after = os.fstat(handle.fileno())
    except OSError as error:
        return _Inspected(problem=f"cannot be read: {error.strerror}")
    if (size, before.st_mtime_ns) != (before.st_size, after.st_mtime_ns):
        return _Inspected(problem="changed while it was read; is a build still running?")
    return _Inspected(sha256=sha256.hexdigest(), md5=md5.hexdigest(), size=size, secret=secret)


def _secret(head: bytes) -> str:
    for what, (literals, pattern) in SECRET_PATTERNS.items():
        match = pattern.search(head) if any(literal in head for literal in literals) else None
        if match:
            line = head.count(b"\n", 0, match.start()) + 1
            return f"{line}: holds {what}"
    return ""


# --- what the pages refer to --------------------------------------------------------------------------------------

_LOADED_LINKS = frozenset({"stylesheet", "modulepreload", "preload", "prefetch", "icon", "apple-touch-icon", "manifest", "mask-icon"})


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.urls: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        wanted: list[str] = []
        if tag == "base" and not self.base:
            self.base = given.get("href", "")
        elif tag == "link":
            if _LOADED_LINKS & set(given.get("rel", "").lower().split()):
                wanted.append(given.get("href", ""))
        elif tag in ("script", "img", "source", "video", "audio", "track", "embed", "input"):
            wanted += [given.get("src", ""), given.get("poster", "")]
        wanted += [part.split()[0] for part in (given.get("srcset", "") or given.get("imagesrcset", "")).split(",") if part.split()]
        self.urls += [(url.strip(), self.getpos()[0]) for url in wanted if url.strip()]


def references(html: str, page_key: str) -> tuple[tuple[str, int], ...]:
    """Keys of the site's own files that a page loads, with the line of each; files of other hosts and data are left out."""
    parser = _References()
    parser.feed(html)
    parser.close()
    page = urljoin(f"https://site.invalid/{page_key}", parser.base)
    found: list[tuple[str, int]] = []
    for url, line in parser.urls:
        try:
            absolute = urlsplit(urljoin(page, url))
        except ValueError:
            continue
        if absolute.scheme == "https" and absolute.netloc == "site.invalid" and not absolute.path.endswith("/"):
            found.append((unquote(absolute.path).lstrip("/"), line))
    return tuple(dict.fromkeys(found))


def _broken_references(directory: Path, files: Mapping[str, str], prefix: str, keys: frozenset[str]) -> Iterator[str]:
    for relative, file in files.items():
        if not relative.endswith((".html", ".htm")):
            continue
        with open_file(directory, file) as handle:
            text = handle.read(PAGE_LIMIT).decode(errors="replace")
        for key, line in references(text, prefix + relative):
            if key not in keys:
                hint = _base_hint(key, prefix, keys)
                yield f"{printable(str(directory / relative))}:{line}: loads /{printable(key)}, which is not there{hint}"


def _base_hint(key: str, prefix: str, keys: frozenset[str]) -> str:
    """The usual reason: the app was built for another base path than the one it is published under."""
    parts = key.split("/")
    for cut in range(len(parts)):
        if prefix + "/".join(parts[cut:]) in keys:
            built = "/" + "/".join(parts[:cut])
            return (
                f": the app was built for base {built.rstrip('/')}/ but is published under /{prefix} (app.index_document, or vite --base)"
            )
    return ""
