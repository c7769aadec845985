"""Assemblies on disk: written whole or not at all, and never believed unread."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import msgspec
import pytest

from assembly import files
from assembly.model import Assembly
from stacks.synthesis import synthesise
from tests.environments_fixture import environments

SYNTHESIS = synthesise(environments()["dev"])
CONTENT = files.files_of(SYNTHESIS.assembly, {stack.template.file: SYNTHESIS.templates[stack.id] for stack in SYNTHESIS.assembly.stacks})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    files.write(tmp_path / "dev", CONTENT)
    return tmp_path / "dev"


def test_what_is_written_is_what_is_read(directory: Path) -> None:
    assembly, templates = files.read(directory)
    assert assembly == SYNTHESIS.assembly
    assert templates == SYNTHESIS.templates
    assert files.differing(directory, CONTENT) == ()


def test_the_digest_covers_every_template(directory: Path) -> None:
    stack = SYNTHESIS.assembly.stacks[0]
    other = msgspec.structs.replace(stack, template=msgspec.structs.replace(stack.template, sha256="0" * 64))
    assembly = msgspec.structs.replace(SYNTHESIS.assembly, stacks=(other, *SYNTHESIS.assembly.stacks[1:]))
    assert files.assembly_digest(assembly) != SYNTHESIS.assembly.digest


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_every_tampered_file_is_refused(name: str, directory: Path) -> None:
    path = directory / name
    path.write_bytes(path.read_bytes().replace(b"kimmyai", b"kimmyaj", 1))
    with pytest.raises(files.AssemblyError) as caught:
        files.read(directory)
    assert caught.value.command == "python build.py --env dev"


def test_a_manifest_and_template_tampered_together_are_refused(directory: Path) -> None:
    template = directory / "site.template.json"
    template.write_bytes(template.read_bytes().replace(b"sigv4", b"never"))
    manifest = directory / "assembly.json"
    data = json.loads(manifest.read_bytes())
    next(stack for stack in data["stacks"] if stack["id"] == "site")["template"]["sha256"] = files.sha256(template.read_bytes())
    manifest.write_bytes(files.canonical_json(data))
    with pytest.raises(files.AssemblyError, match="changed since it was built"):
        files.read(directory)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an assembly"),
        (b"{", "not an assembly"),
        (b"[]", "not an assembly"),
        (b'{"format": 99}', "format 99, this version reads format 1"),
        (b'{"format": 1}', "not an assembly"),
        (b'{"format": 1, "surprise": true}', "not an assembly"),
    ],
)
def test_what_is_no_assembly(data: bytes, message: str, directory: Path) -> None:
    (directory / "assembly.json").write_bytes(data)
    with pytest.raises(files.AssemblyError, match=message):
        files.read(directory)


def test_every_missing_template_is_named(directory: Path) -> None:
    (directory / "site.template.json").unlink()
    (directory / "dns.template.json").unlink()
    with pytest.raises(files.AssemblyError) as caught:
        files.read(directory)
    assert [problem.split(": ")[1] for problem in caught.value.problems] == [
        "the template of stack site is missing",
        "the template of stack dns is missing",
    ]


def test_a_template_outside_the_directory_is_never_read(directory: Path) -> None:
    stacks = SYNTHESIS.assembly.stacks
    escaping = msgspec.structs.replace(stacks[0], template=msgspec.structs.replace(stacks[0].template, file="../secret.json"))
    assembly = files.sealed(msgspec.structs.replace(SYNTHESIS.assembly, stacks=(escaping, *stacks[1:])))
    (directory.parent / "secret.json").write_bytes(SYNTHESIS.templates[stacks[0].id])
    (directory / "assembly.json").write_bytes(files.manifest_bytes(assembly))
    with pytest.raises(files.AssemblyError, match="is missing"):
        files.read(directory)


def test_templates_of_stacks_that_are_gone_are_removed(directory: Path) -> None:
    (directory / "old.template.json").write_text("{}")
    (directory / "plan.json").write_text("kept")
    assert "old.template.json" in files.differing(directory, CONTENT)
    files.write(directory, CONTENT)
    assert not (directory / "old.template.json").exists()
    assert (directory / "plan.json").read_text() == "kept"


def test_a_failed_write_leaves_the_last_good_assembly(directory: Path) -> None:
    class DiskFull(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            if name == "site.template.json":
                raise OSError(28, "No space left on device")
            return super().__getitem__(name) + b" "

    with pytest.raises(OSError, match="No space left"):
        files.write(directory, DiskFull(CONTENT))
    assert files.read(directory)[0] == SYNTHESIS.assembly
    assert not list(directory.glob(".*"))


def test_two_builds_of_one_directory_do_not_take_each_others_drafts(directory: Path) -> None:
    """Drafts of a killed build are swept, so whoever sweeps must be alone."""

    class Watched(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            with pytest.raises(BlockingIOError):
                lock()
            return super().__getitem__(name)

    def lock() -> None:
        folder = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(folder)

    files.write(directory, Watched(CONTENT))
    lock()  # free again


def test_a_write_killed_among_its_renames_is_noticed(directory: Path) -> None:
    changed = {name: data.replace(b"PriceClass_100", b"PriceClass_200") for name, data in CONTENT.items()}
    (directory / "site.template.json").write_bytes(changed["site.template.json"])
    with pytest.raises(files.AssemblyError, match="not the one that was built and linted"):
        files.read(directory)


def test_the_manifest_is_its_own_canonical_form() -> None:
    data = CONTENT["assembly.json"]
    assert files.manifest_bytes(msgspec.json.decode(data, type=Assembly)) == data
