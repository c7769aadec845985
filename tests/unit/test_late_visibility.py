"""The late mode of the local AWS hides and repeats for a bounded while, the same for the same seed."""

from __future__ import annotations

from late.visibility import Identity, Reply, Visibility

ROLE = Identity("AWS::IAM::Role", "1", "cfn")
OLD: Reply = (200, {}, b"old")
NEW: Reply = (200, {}, b"new")


class Clock:
    at = 100.0

    def __call__(self) -> float:
        return self.at


def test_nothing_is_hidden_for_longer_than_the_longest_delay() -> None:
    clock = Clock()
    for seed in map(str, range(50)):
        visibility = Visibility(seed, 2.0, clock)
        visibility.made(ROLE, "foundation")
        assert visibility.maker(ROLE) == "foundation" and visibility.maker(Identity("AWS::IAM::Role", "1", "other")) == ""
        clock.at += 2.0
        assert not any(visibility.hides(ROLE, "us-east-1") for _ in range(20))


def test_it_is_hidden_for_a_while_that_differs_by_seed_and_reader() -> None:
    clock = Clock()
    hidden = set()
    for seed in map(str, range(30)):
        for reader in ("us-east-1", "af-south-1"):
            visibility = Visibility(seed, 2.0, clock)
            visibility.made(ROLE)
            clock.at += 1.0
            hidden.add(any(visibility.hides(ROLE, reader) for _ in range(20)))
    assert hidden == {True, False}


def test_what_is_not_new_is_never_hidden() -> None:
    visibility = Visibility("1", 2.0)
    assert not visibility.hides(ROLE)
    visibility.made(ROLE)
    visibility.gone(ROLE)
    assert not any(visibility.hides(ROLE) for _ in range(20))


def test_an_answer_is_old_for_a_while_after_a_change_and_not_longer() -> None:
    clock = Clock()
    visibility = Visibility("7", 2.0, clock)
    question = ("1", "DescribeStacks")
    assert visibility.told(question, b"old", OLD, "stack") == OLD
    visibility.changed("stack")
    answers = [visibility.told(question, b"new", NEW, "stack") for _ in range(50)]
    assert OLD in answers and NEW in answers
    clock.at += 2.0
    assert [visibility.told(question, b"new", NEW, "stack") for _ in range(20)] == [NEW] * 20


def test_an_answer_to_a_question_never_asked_is_the_present_one() -> None:
    visibility = Visibility("7", 2.0)
    visibility.changed("stack")
    assert visibility.told(("q",), b"new", NEW, "stack") == NEW


def test_what_changed_long_ago_is_not_told_late_because_somebody_asks_now() -> None:
    clock = Clock()
    visibility = Visibility("7", 2.0, clock)
    visibility.told(("q",), b"old", OLD, "stack")
    visibility.changed("stack")
    clock.at += 60.0
    assert [visibility.told(("q",), b"new", NEW, "stack") for _ in range(20)] == [NEW] * 20
