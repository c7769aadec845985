"""When a call is not worth asking, and how long it is tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuit_breaker import CALL_SECONDS, HURRY_SECONDS, QUIET_LIMIT, QUIET_SECONDS, SILENCES, CircuitBreaker, CircuitOpen, wished_attempts


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


def asks(breaker: CircuitBreaker, region: str, service: str) -> bool:
    """Whether the call would be made."""
    try:
        with breaker.calling(region, service):
            return True
    except CircuitOpen as silent:
        assert not silent.asked
        return False


def tries(breaker: CircuitBreaker, clock: Clock, service: str, *, step: float, silent: bool = False) -> int:
    """How many attempts of a call are made that take so many seconds each and all fail; `silent`: by timing out."""
    count = 0
    with pytest.raises(CircuitOpen) as ended, breaker.calling("r", service):
        while True:
            breaker.attempt()
            count += 1
            clock.time += step
            if silent:
                breaker.silent()
    assert ended.value.asked
    breaker.missed("r", service, str(ended.value))
    return count


def test_a_service_that_did_not_answer_is_not_asked_for_a_while_and_others_are() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    breaker.missed("r", "s3", "503")
    assert not asks(breaker, "r", "s3")
    assert asks(breaker, "r", "dynamodb"), "a lock is given back although S3 is down"
    assert asks(breaker, "elsewhere", "s3")
    clock.time += QUIET_SECONDS + 0.1
    assert asks(breaker, "r", "s3")


def test_two_services_are_a_region_until_one_of_it_answers() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    breaker.missed("r", "s3", "503")
    breaker.missed("r", "cloudformation", "503")
    assert not asks(breaker, "r", "dynamodb")
    clock.time += 1
    breaker.heard("r", "sts")
    assert asks(breaker, "r", "dynamodb")
    assert not asks(breaker, "r", "s3")
    breaker.heard("r", "s3")
    assert asks(breaker, "r", "s3")


@pytest.mark.parametrize(("step", "attempts"), [(30.0, 3), (1.0, 75), (200.0, 1)])
def test_a_call_that_nobody_answers_ends(step: float, attempts: int) -> None:
    clock = Clock()
    assert tries(CircuitBreaker(clock), clock, "s3", step=step) == attempts
    assert CALL_SECONDS == 75.0


def test_it_ends_sooner_where_a_neighbour_was_silent() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    breaker.missed("r", "s3", "no answer")
    assert tries(breaker, clock, "dynamodb", step=30.0) == 1
    assert HURRY_SECONDS < 30


def test_what_times_out_twice_is_not_tried_a_third_time_and_that_it_is_tried_again_is_told() -> None:
    clock = Clock()
    breaker, told = CircuitBreaker(clock), list[str]()
    breaker.tell = told.append
    assert tries(breaker, clock, "s3", step=30.0, silent=True) == SILENCES == 2
    assert told == ["r (s3) has not answered for 30 s, and is asked once more"]


def test_a_region_that_hangs_costs_a_verb_a_minute_and_a_half_however_much_it_asks() -> None:
    """Six services, four questions each, thirty seconds an attempt: two attempts of the first, one of the second, nothing of the others."""
    clock = Clock()
    breaker, begun, asked = CircuitBreaker(clock), clock.time, 0
    for number in range(24):
        if asks(breaker, "r", f"service {number % 6}"):
            asked += tries(breaker, clock, f"service {number % 6}", step=30.0, silent=True)
    assert (asked, clock.time - begun) == (SILENCES + 1, 90.0)


def test_while_its_neighbours_are_silent_a_service_is_not_asked_again() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    breaker.missed("r", "s3", "no answer")
    clock.time += QUIET_SECONDS - 1
    breaker.missed("r", "cloudformation", "no answer")
    clock.time += QUIET_SECONDS - 1
    assert not asks(breaker, "r", "s3")
    breaker.heard("r", "dynamodb")
    assert asks(breaker, "r", "s3"), "the region answers"


def test_each_time_in_vain_it_is_left_alone_for_longer_and_asked_once() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    quiet = []
    for times in range(5):
        assert tries(breaker, clock, "s3", step=30.0, silent=True) == (SILENCES if times == 0 else 1)
        begun = clock.time
        while not asks(breaker, "r", "s3"):
            clock.time += 1
        quiet.append(clock.time - begun)
    assert quiet == [20, 40, 60, 60, 60]
    assert QUIET_LIMIT == 60
    breaker.heard("r", "s3")
    assert tries(breaker, clock, "s3", step=30.0, silent=True) == SILENCES


def test_a_call_within_a_call_takes_nothing_from_it() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    with breaker.calling("r", "s3"):
        breaker.attempt()
        with breaker.calling("us-east-1", "sts"):
            breaker.attempt()
            clock.time += CALL_SECONDS
        with pytest.raises(CircuitOpen):
            breaker.attempt()
    breaker.attempt()


@given(st.lists(st.tuples(st.sampled_from(["missed", "heard", "wait"]), st.sampled_from("rq"), st.sampled_from("abc")), max_size=30))
def test_nothing_stays_lost_without_another_try(events: list[tuple[str, str, str]]) -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for what, region, service in events:
        if what == "wait":
            clock.time += QUIET_SECONDS / 3
        elif what == "missed":
            breaker.missed(region, service, "503")
        else:
            breaker.heard(region, service)
            assert asks(breaker, region, service)
    clock.time += QUIET_LIMIT + 0.1
    assert all(asks(breaker, region, service) for region in "rq" for service in "abc")


@pytest.mark.parametrize(
    ("given", "attempts"), [(None, 8), ("", 8), ("2", 2), ("0", 8), ("many", 8), ("-1", 8), ("999", 20), ("\u0662", 8)]
)
def test_the_callers_number_of_attempts_counts(given: str | None, attempts: int) -> None:
    assert wished_attempts({} if given is None else {"AWS_MAX_ATTEMPTS": given}, 8) == attempts
