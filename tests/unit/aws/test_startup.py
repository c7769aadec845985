"""What botocore's loader is spared."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

from aws.startup import quick


def test_a_file_is_read_once_for_all_loaders_and_one_that_was_not_there_is_looked_for_again(tmp_path: Path) -> None:
    def loader() -> Loader:
        made: Loader = quick(Loader(extra_search_paths=[str(tmp_path)], include_default_search_paths=False))
        return made

    first = loader()
    with pytest.raises(DataNotFoundError):
        first.load_data("model")
    (tmp_path / "model.json").write_text('{"version": 1}')
    read = first.load_data("model")
    assert read == {"version": 1}
    assert loader().load_data("model") is read
    assert "no such service" in first.list_available_services("service-2")
