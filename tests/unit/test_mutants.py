"""The mutation tester itself: which faults there are, how they are named, and that one of them is noticed and another is not."""

from __future__ import annotations

import json
from pathlib import Path

from tests.golden_files import ROOT
from tests.mutants.__main__ import EQUIVALENT, sample
from tests.mutants.covering import OTHERS, OWN, Cover, together
from tests.mutants.operators import mutants, mutated

SOURCE = '''
"""A module."""
LIMIT: int = 3

class Thing(Struct, frozen=True):
    wide: bool = False

def f(a, b=1):
    """A function."""
    if a > LIMIT and not b:
        raise ValueError(a)
    for x in a:
        if x:
            continue
    print(a)
    return [x for x in a if x]
'''


def changes(source: str = SOURCE) -> list[str]:
    return [f"{m.spot.function}: {m.change}" for m in mutants("a.py", source)]


def test_every_kind_of_fault_and_none_in_what_does_not_run() -> None:
    assert changes() == [
        "<module>: 3 -> 4",
        "<module>: 3 -> 2",
        "Thing: False -> True",
        "f: 1 -> 2",
        "f: 1 -> 0",
        "f: a > LIMIT and (not b) -> True",
        "f: a > LIMIT and (not b) -> False",
        "f: a > LIMIT and (not b) -> a > LIMIT or not b",
        "f: a > LIMIT and (not b) -> not b",
        "f: a > LIMIT and (not b) -> a > LIMIT",
        "f: a > LIMIT -> a >= LIMIT",
        "f: not b -> b",
        "f: raise ValueError(a) -> pass",
        "f: x -> True",
        "f: x -> False",
        "f: continue -> break",
        "f: print(a) -> pass",
        "f: [x for x in a if x] -> None",
        "f: x -> True",
    ]


def test_names_survive_moved_lines_and_tell_equal_changes_apart() -> None:
    names = [m.key for m in mutants("a.py", SOURCE)]
    assert names == [m.key for m in mutants("a.py", "# moved\n\n" + SOURCE)] and len(set(names)) == len(names)
    assert [name for name in names if "f: x -> True" in name] == ["a.py f: x -> True", "a.py f: x -> True #2"]


def test_a_fault_is_the_one_that_its_name_says() -> None:
    for mutant in mutants("a.py", SOURCE):
        if mutant.change == "3 -> 4":
            space: dict[str, object] = {"Struct": type("Struct", (), {"__init_subclass__": classmethod(lambda cls, **_: None)})}
            exec(mutated(mutant, SOURCE, "a.py"), space)
            assert space["LIMIT"] == 4


def test_a_seed_draws_the_same_faults_again() -> None:
    one, left_out = sample("guards", 20, 7, {})
    assert one == sample("guards", 20, 7, {})[0] != sample("guards", 20, 8, {})[0] and left_out == 0
    fewer, left_out = sample("guards", 20, 7, {one[0].key: "why"})
    assert (fewer, left_out) == (one[1:], 1)


def test_the_quick_tests_of_the_own_room_come_first_and_no_more_than_a_fault_is_worth() -> None:
    mutant = next(m for m in mutants("guards/a.py", SOURCE) if m.spot.function == "f" and not m.spot.at_import)
    own, other = "tests/unit/guards/test_a.py", "tests/unit/lint/test_b.py"
    seconds = {f"{own}::slow": OWN, f"{own}::quick": 1.0, f"{own}::slower": OWN + 1, f"{other}::quick": 0.5, f"{other}::slow": OTHERS}
    cover = Cover({"guards/a.py": {mutant.line: tuple(seconds)}}, {**seconds, f"{other}::last": OTHERS + 1})
    assert list(cover.stages(mutant)) == [[f"{own}::quick", f"{own}::slow"], [f"{other}::quick", f"{other}::slow"]]
    assert list(Cover({"guards/a.py": {}}, seconds).stages(mutant)) == []
    alone = Cover({"guards/a.py": {mutant.line: (f"{own}::slower",)}}, seconds)
    assert list(alone.stages(mutant)) == [[f"{own}::slower"]], "one is run, however long it takes"
    at_import = next(m for m in mutants("guards/a.py", SOURCE) if m.change == "3 -> 4")
    for each in (at_import, mutant):  # a file without lines is not measured
        assert list(Cover({}, seconds).stages(each)) == [[f"{own}::quick", f"{own}::slow"]], "any of its room may read it"
    shared = Cover({"guards/a.py": {mutant.line: (f"{other}::quick|setup",)}}, seconds)
    assert list(shared.stages(mutant)) == [[f"{other}::quick", f"{other}::slow"]], "what fixtures run has every test of the file"


def test_a_part_is_measured_again_and_what_is_no_more_there_is_forgotten() -> None:
    before = {"tests/unit/a/test_a.py::one": 1.0, "tests/unit/a/test_a.py::two": None, "tests/unit/ab/test_b.py::one": 1.0}
    now: dict[str, float | None] = {"tests/unit/a/test_a.py::three": 3.0}
    for part in ("tests/unit/a", "tests/unit/a/", "tests/unit/a/test_a.py"):
        assert together(before, now, [part]) == {"tests/unit/ab/test_b.py::one": 1.0, **now}
    one = "tests/unit/a/test_a.py::one"
    assert together(before, {one: 2.0}, [one]) == {**before, one: 2.0}
    assert together({**before, f"{one}[1]": 1.0}, {f"{one}[2]": 2.0}, [one]) == {
        **{test: seconds for test, seconds in before.items() if test != one},
        f"{one}[2]": 2.0,
    }


def test_what_is_listed_as_equivalent_is_still_there_and_has_a_reason() -> None:
    listed: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    for key, reason in listed.items():
        file = Path(key.split(" ", 1)[0])
        assert key in {m.key for m in mutants(file.as_posix(), (ROOT / file).read_text(encoding="utf-8"))}, f"{key}: gone; take it off"
        assert len(reason) > 10, key
