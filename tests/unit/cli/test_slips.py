"""A slip of the keyboard is answered with what was probably meant."""

from __future__ import annotations

import pytest

from cli.parser import parser_of
from session.context import USAGE, CommandError


@pytest.mark.parametrize(
    ("verb", "typed", "meant"),
    [
        ("local", ("statsu",), "did you mean status?"),
        ("graph", ("--env", "dev", "--format", "sgv"), "did you mean svg?"),
        ("local", ("xyz",), "'xyz' is none of status, stop, reset"),
    ],
)
def test_a_value_that_is_none_of_the_choices(verb: str, typed: tuple[str, ...], meant: str) -> None:
    with pytest.raises(CommandError) as refused:
        parser_of(verb).read(typed)
    assert meant in str(refused.value)
    assert refused.value.status == USAGE
