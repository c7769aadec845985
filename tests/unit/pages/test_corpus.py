"""Pages that went white, and pages that only look suspicious: the same that tests/browser shows to Chromium."""

from __future__ import annotations

import pytest

from tests.pages_corpus import FINE, WHITE, Case
from tests.unit.pages.judging import refused


@pytest.mark.parametrize("case", WHITE, ids=lambda case: case.name)
def test_what_breaks_in_a_browser_is_refused(case: Case) -> None:
    assert refused(case.all_files) == case.refused


@pytest.mark.parametrize("case", FINE, ids=lambda case: case.name)
def test_what_works_in_a_browser_is_not_refused(case: Case) -> None:
    assert refused(case.all_files) == frozenset()
