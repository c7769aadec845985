"""Assemblies on disk: canonical bytes, digests, an atomic writer and a reader that trusts nothing.

In: an `Assembly` and the bytes of its templates (write); a directory (read).
Out: `dist/<env>/assembly.json` and one canonical JSON template a stack; or an `AssemblyError` that lists every problem found.
Never: imports a stack, talks to AWS, writes anything but its own files, leaves an older good assembly broken by a failed write.

Digests: a template's is the sha256 of its file. The assembly's is the sha256 of its own canonical JSON with `digest` empty; as every
template digest stands in there, one value names the whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from assembly.commands import build
from assembly.model import FORMAT, Assembly
from guards import documents

MANIFEST = "assembly.json"

T = TypeVar("T")


class AssemblyError(Exception):
    """An assembly that cannot be used: what is wrong with which file, one line a problem, and what to type."""

    def __init__(self, directory: Path, problems: tuple[str, ...]) -> None:
        self.directory = directory
        self.problems = problems
        self.command = build(directory.name)
        super().__init__("\n".join(problems))


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, one-space indent, UTF-8, a newline at the end. Same value, same bytes, anywhere.

    One space: readable line by line, and a quarter smaller than two, which keeps templates inline (51,200 bytes) for longer.
    """
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def sha256(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def document_digest(value: Any) -> str:
    """Of a JSON document, whatever its spacing and the order of its keys."""
    return sha256(canonical_json(value))


def assembly_digest(assembly: Assembly) -> str:
    """The digest of the whole; independent of what `assembly.digest` says now."""
    return sha256(manifest_bytes(msgspec.structs.replace(assembly, digest="")))


def sealed(assembly: Assembly) -> Assembly:
    """The same assembly with its digest filled in."""
    return msgspec.structs.replace(assembly, digest=assembly_digest(assembly))


def manifest_bytes(assembly: Assembly) -> bytes:
    """`assembly.json` as written."""
    return canonical_json(msgspec.to_builtins(assembly))


def files_of(assembly: Assembly, templates: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file of the assembly by name; `templates` is keyed by file name."""
    return {**templates, MANIFEST: manifest_bytes(assembly)}


def differing(directory: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of the files that are missing from `directory`, differ from `files`, or are templates that no longer belong there."""
    wrong = [name for name, data in files.items() if _content(directory / name) != data]
    return tuple(sorted({*wrong, *(path.name for path in _strangers(directory, files))}))


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of an assembly so that `directory` holds either the old assembly or the new one.

    Everything is staged beside the target and flushed to disk before the first rename; the manifest is renamed last. A process
    killed among the renames leaves a directory whose digests do not agree, which `read` refuses.

    Raises OSError (disk full, no permission) before anything has changed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        _replace(directory, files)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Waits for another build of the same directory, whose drafts would be taken for what a killed build has left."""
    held = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every network file system locks directories
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _replace(directory: Path, files: Mapping[str, bytes]) -> None:
    staged: list[tuple[Path, Path]] = []
    try:
        for name in sorted(files, key=lambda n: (n == MANIFEST, n)):
            # Made, never opened: a link that a checkout brought along under such a name would be written through.
            temporary = directory / f".{name}.{os.urandom(8).hex()}.tmp"
            staged.append((temporary, directory / name))
            with temporary.open("xb") as out:
                out.write(files[name])
                out.flush()
                os.fsync(out.fileno())
        for temporary, final in staged:
            temporary.replace(final)
    except BaseException:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        raise
    for stranger in _strangers(directory, files):
        stranger.unlink(missing_ok=True)


def read(directory: Path) -> tuple[Assembly, dict[str, bytes]]:
    """The assembly in `directory` and its templates' bytes by stack id.

    Raises AssemblyError where a file is missing, is not of this format, or does not have the digest it should have; all at once.
    """
    manifest = _content(directory / MANIFEST)
    if manifest is None:
        raise AssemblyError(directory, (f"{directory / MANIFEST}: not there",))
    try:
        head = documents.decode(manifest, _Head)
        if head.format != FORMAT:
            raise AssemblyError(directory, (f"{directory / MANIFEST}: format {head.format}, this version reads format {FORMAT}",))
        assembly = documents.decode(manifest, Assembly)
    except documents.Unreadable as error:
        raise AssemblyError(directory, (f"{directory / MANIFEST}: not an assembly: {error}",)) from error
    problems: list[str] = []
    if assembly_digest(assembly) != assembly.digest:
        problems.append(f"{directory / MANIFEST}: changed since it was built (its digest is not {assembly.digest})")
    templates: dict[str, bytes] = {}
    for stack in assembly.stacks:
        path = directory / stack.template.file
        data = None if Path(stack.template.file).name != stack.template.file else _content(path)
        if data is None:
            problems.append(f"{path}: the template of stack {stack.id} is missing")
        elif sha256(data) != stack.template.sha256:
            problems.append(f"{path}: the template of stack {stack.id} is not the one that was built and linted (sha256 differs)")
        else:
            templates[stack.id] = data
    if problems:
        raise AssemblyError(directory, tuple(problems))
    return assembly, templates


class _Head(msgspec.Struct):
    format: int


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _strangers(directory: Path, files: Mapping[str, bytes]) -> list[Path]:
    return [p for p in sorted(directory.glob("*.template.*")) if p.name not in files] if directory.is_dir() else []
