"""Read an assembly for the preview: like `assembly.files.read`, but a template changed by hand is served, and said to be.

In: `dist/<env>`. Out: `Built`, with one note for whatever is not as it was built.
Never: writes, or hands on a template that is not JSON. Raises `AssemblyError` for what cannot be interpreted at all, everything at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assembly.files import MANIFEST, AssemblyError, assembly_digest, sha256
from assembly.model import FORMAT, Assembly
from guards import documents


@dataclass(frozen=True)
class Built:
    """An assembly, its templates as JSON by stack id, and what differs from the build."""

    assembly: Assembly
    templates: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...]


def read(directory: Path) -> Built:
    """The assembly in `directory`, whatever its digests say."""
    manifest = directory / MANIFEST
    try:
        data = manifest.read_bytes()
    except OSError as error:
        raise AssemblyError(directory, (f"{manifest}: {error.strerror}",)) from error
    try:
        assembly = documents.decode(data, Assembly)
    except documents.Unreadable as error:
        raise AssemblyError(directory, (f"{manifest}: not an assembly of format {FORMAT}: {error}",)) from error
    if assembly.format != FORMAT:
        raise AssemblyError(directory, (f"{manifest}: format {assembly.format}, this version reads format {FORMAT}",))
    notes = [] if assembly_digest(assembly) == assembly.digest else [f"{manifest} was changed after the build"]
    problems: list[str] = []
    templates: dict[str, Mapping[str, Any]] = {}
    for stack in assembly.stacks:
        path = directory / Path(stack.template.file).name
        try:
            text = path.read_bytes()
            template = documents.loads(text)
        except OSError as error:
            problems.append(f"{path}: the template of stack {stack.id}: {error.strerror}")
            continue
        except ValueError as error:
            problems.append(f"{path}: not JSON: {error}")
            continue
        if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
            problems.append(f"{path}: not a CloudFormation template: it has no Resources")
            continue
        if sha256(text) != stack.template.sha256:
            notes.append(f"{path} was changed after the build; the preview shows it as it is now, deploy.py would refuse it")
        templates[stack.id] = template
    if problems:
        raise AssemblyError(directory, tuple(problems))
    return Built(assembly, templates, tuple(notes))
