"""What CloudFront sends as large as it is."""

from __future__ import annotations

import pytest

from files.types import COMPRESS_TO, content_type, uncompressed


@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        ("app.wasm", COMPRESS_TO + 1, True),
        ("app.js", COMPRESS_TO, False),
        ("cities.geojson", 200_000, True),
        ("cities.geojson", 20_000, False),
        ("cities.json", 200_000, False),
        ("film.mp4", COMPRESS_TO + 1, False),
        ("manual.pdf", COMPRESS_TO + 1, False),
        ("README.md", 200_000, True),
    ],
)
def test_what_is_sent_as_large_as_it_is(name: str, size: int, told: bool) -> None:
    assert uncompressed(content_type(name), size) == told
