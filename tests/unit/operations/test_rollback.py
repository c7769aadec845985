"""Rollback: which assembly is meant, and that only an undamaged one comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly import files, sources
from operations.rollback import RollbackError, meant, restore, verified
from tests.simulated import Small, small_assembly
from tests.unit.operations.test_status import record


def kept() -> tuple[dict[str, bytes], str]:
    assembly, templates = small_assembly(
        Small(id="one", template={"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}), Small(id="two", template={"Resources": {}})
    )
    return files.files_of(assembly, {s.template.file: templates[s.id] for s in assembly.stacks}), assembly.digest


def test_six_digits_are_enough_if_they_fit_one_assembly_and_the_latest_apply_of_it_counts() -> None:
    past = [record("ab" * 32, "3"), record("cd" * 32, "2"), record("ab" * 32, "1")]
    assert meant("ababab", past, "test").started_at == "3"
    assert meant("cd" * 32, past, "test").started_at == "2"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("abab", "first 6"),
        ("zzzzzz", "not a digest"),
        ("ABABAB", "not a digest"),
        ("999999", "no assembly"),
        ("aaaaaa", "several"),
        ("", "digest"),
    ],
)
def test_what_fits_none_or_several_is_refused(wanted: str, words: str) -> None:
    past = [record("ab" * 32, "3"), record("a" * 63 + "1", "2"), record("a" * 63 + "2", "1")]
    with pytest.raises(RollbackError, match=words) as caught:
        meant(wanted, past, "test")
    assert caught.value.command == "python deploy.py history --env test"


def test_an_undamaged_assembly_comes_back_byte_for_byte(tmp_path: Path) -> None:
    found, digest = kept()
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "old.template.json").write_text("{}")
    restore(found | {"../stranger": b"x"}, digest, tmp_path / "test", "test")
    assembly, templates = files.read(tmp_path / "test")
    assert assembly.digest == digest
    assert {p.name for p in (tmp_path / "test").iterdir()} == {*found, sources.FILE}
    assert sources.read(tmp_path / "test").restored
    assert templates["one"] == found["one.template.json"]
    assert not (tmp_path / "stranger").exists()


@given(st.data())
def test_a_single_changed_byte_anywhere_is_refused(data: st.DataObject) -> None:
    found, digest = kept()
    name = data.draw(st.sampled_from(sorted(found)))
    at = data.draw(st.integers(0, len(found[name]) - 1))
    flipped = bytes([found[name][at] ^ data.draw(st.integers(1, 255))])
    damaged = found | {name: found[name][:at] + flipped + found[name][at + 1 :]}
    with pytest.raises(RollbackError):
        verified(damaged, digest, "test")


def test_the_same_manifest_in_other_bytes_is_refused() -> None:
    found, digest = kept()
    with pytest.raises(RollbackError, match="digest differs"):
        verified(found | {files.MANIFEST: found[files.MANIFEST] + b" "}, digest, "test")


@pytest.mark.parametrize("missing", ["assembly.json", "one.template.json"])
def test_a_missing_file_is_refused_and_what_was_there_stays(missing: str, tmp_path: Path) -> None:
    found, digest = kept()
    del found[missing]
    (tmp_path / "assembly.json").write_text("mine")
    with pytest.raises(RollbackError):
        restore(found, digest, tmp_path, "test")
    assert (tmp_path / "assembly.json").read_text() == "mine"


def test_another_assembly_under_that_digest_and_another_environments_are_refused() -> None:
    found, digest = kept()
    with pytest.raises(RollbackError, match="digest differs"):
        verified(found, "0" * 64, "test")
    with pytest.raises(RollbackError, match="of the environment test"):
        verified(found, digest, "prod")


def test_a_template_name_that_leads_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    assembly, templates = small_assembly(Small(id="one", template={"Resources": {}}))
    stack = assembly.stacks[0]
    outside: Any = msgspec.structs.replace(stack, template=msgspec.structs.replace(stack.template, file="../one.template.json"))
    sealed = files.sealed(msgspec.structs.replace(assembly, stacks=(outside,)))
    found = files.files_of(sealed, {"../one.template.json": templates["one"]})
    with pytest.raises(RollbackError, match="plain file name"):
        restore(found, sealed.digest, tmp_path / "test", "test")
    assert list(tmp_path.iterdir()) == []
