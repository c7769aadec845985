"""Rolling back: an assembly that was applied before, taken out of the artifact bucket and checked, becomes the one to plan with.

In: history records; the files of a kept assembly. Out: the digest that a user means; the assembly back on disk, whole or not at all.
Never: applies anything, trusts what is in the bucket (every digest is checked before the first byte is written).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from assembly import commands, files, sources
from assembly.errors import Remedied
from assembly.model import Assembly
from rollout import history
from rollout.history import Record

MIN_DIGITS = 6
"""Digits of a digest that are enough if they are unambiguous."""


class RollbackError(Remedied):
    """What was asked for cannot be restored; `command` is what to type."""


def meant(wanted: str, past: Iterable[Record], environment: str, *, damaged: int = 0) -> Record:
    """The latest record whose assembly digest begins with `wanted`. `damaged`: number of records that could not be read.

    Raises `RollbackError` if there is none, or several assemblies fit.
    """
    command = commands.deploy("history", environment)
    if len(wanted) < MIN_DIGITS or not set(wanted) <= set("0123456789abcdef"):
        raise RollbackError(f"{wanted!r} is not a digest: give its first {MIN_DIGITS} hexadecimal digits at least", command)
    fitting = [record for record in past if record.assembly_digest.startswith(wanted)]
    digests = sorted({record.assembly_digest for record in fitting})
    if not digests:
        more = f" in any record that can be read ({damaged} cannot)" if damaged else ""
        raise RollbackError(f"no assembly {wanted} was applied to {environment}{more}", command)
    if len(digests) > 1:
        raise RollbackError(f"{wanted} fits several assemblies: {', '.join(d[:16] for d in digests)}; give more digits", command)
    return fitting[0]


def before_last(past: Iterable[Record], environment: str) -> Record:
    """The latest successful apply of another assembly than the last one's. Raises `RollbackError` if there is none."""
    found = tuple(past)
    earlier = (r for r in found if r.assembly_digest != found[0].assembly_digest and r.result == "succeeded")
    record = next(earlier, None)
    if record is None:
        raise RollbackError(f"only one assembly was applied to {environment}, if any", commands.deploy("history", environment))
    return record


def verified(found: Mapping[str, bytes], digest: str, environment: str) -> Assembly:
    """The assembly of these files, if they are exactly the one of that digest. Raises `RollbackError` with every problem."""
    try:
        return history.verified(found, digest, environment)
    except history.NotAsApplied as error:
        raise RollbackError(f"the kept assembly {digest[:12]} {error}", commands.deploy("history", environment)) from error


def restore(found: Mapping[str, bytes], digest: str, directory: Path, environment: str) -> Assembly:
    """Check the files and write them to `directory`. Raises `RollbackError`, or OSError; the assembly that was there is untouched then."""
    assembly = verified(found, digest, environment)
    wanted = {files.MANIFEST, *(stack.template.file for stack in assembly.stacks)}
    kept = {name: data for name, data in found.items() if name in wanted}
    files.write(directory, {**kept, sources.FILE: sources.content(sources.Sources(restored=True))})
    return assembly
