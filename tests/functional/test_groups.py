"""Tests of a group build on each other and share what is dear to make: they must stay together."""

from __future__ import annotations

import pytest


@pytest.mark.functional
@pytest.mark.xdist_group("groups")
def test_the_groups_of_tests_are_kept_together(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("only where several processes run the tests")
    assert request.node.nodeid.endswith("@groups"), "pytest-xdist does not keep groups together with this pytest"
