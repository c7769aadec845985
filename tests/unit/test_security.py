"""SECURITY.md names the test of each attack; every test file it names is there and tries one."""

from __future__ import annotations

import re

import pytest

from tests.golden_files import ROOT

NAMED = sorted(set(re.findall(r"`((?:unit|functional|browser)/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))))


def test_it_names_some() -> None:
    assert len(NAMED) > 10


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_is_there(name: str) -> None:
    assert "def test_" in (ROOT / "tests" / name).read_text(encoding="utf-8")
