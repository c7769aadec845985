"""The local AWS's state on disk is of one time, whatever becomes of writing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.snapshot import _write


def test_nothing_is_replaced_before_everything_is_written(tmp_path: Path) -> None:
    _write(tmp_path, {"iam": "old", "s3": "old"})
    (tmp_path / "s3.json.new").mkdir()  # in the way of the second
    with pytest.raises(IsADirectoryError):
        _write(tmp_path, {"iam": "new", "s3": "new"})
    assert [(tmp_path / name).read_text() for name in ("iam.json", "s3.json")] == ["old", "old"]
    assert not (tmp_path / "iam.json.new").exists()
    (tmp_path / "s3.json.new").rmdir()
    _write(tmp_path, {"s3": "new"})
    assert [(tmp_path / name).read_text() for name in ("iam.json", "s3.json")] == ["old", "new"]
