"""-v tells every call to AWS and nothing of what is in it; -q leaves out what is only progress."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from aws.errors import NetworkError
from aws.session import Aws, StaticCredentials
from cli.parser import parser_of, verbs
from session.calls import follower, settings
from session.context import Context
from session.shared import progress
from session.waiting import telling


class Events:
    """botocore's event emitter, as far as it is used."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def register(self, name: str, handler: Any) -> None:
        self.handlers[name] = handler


def context(stream: io.StringIO, **more: Any) -> Context:
    ticks = itertools.count()
    return Context(stderr=stream, environ={}, monotonic=lambda: next(ticks) / 4, **more)


def test_a_call_is_told_without_its_contents() -> None:
    stream, events = io.StringIO(), Events()
    follower(context(stream))(events, lambda: "123456789012")
    model = SimpleNamespace(name="GetSecretValue", service_model=SimpleNamespace(service_name="secretsmanager"))
    sent: dict[str, Any] = {"client_region": "us-east-1"}
    events.handlers["before-call"](model=model, params={"body": "hush"}, context=sent)
    answer = {"SecretString": "hush", "ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "4f2a", "RetryAttempts": 1}}
    events.handlers["after-call"](model=model, context=sent, parsed=answer, http_response=None)
    events.handlers["after-call-error"](context=sent, exception=TimeoutError("hush"))
    assert stream.getvalue().splitlines() == [
        "aws: secretsmanager GetSecretValue (123456789012 us-east-1): 200 4f2a, attempt 2, 0.25 s",
        "aws: secretsmanager GetSecretValue (123456789012 us-east-1): TimeoutError, 0.50 s",
    ]


def test_a_call_that_nobody_answers_is_told_and_stays_what_it_is() -> None:
    """By botocore's own events: one that asks for more than they hand over makes a wrong answer of no answer."""
    stream = io.StringIO()
    aws = Aws(
        endpoint_url="http://127.0.0.1:9",
        static_credentials=lambda account: StaticCredentials(access_key=account, secret_key="none"),
        settings=replace(settings(context(stream, verbose=True)), total_attempts=1),
    )
    with pytest.raises(NetworkError) as refused:
        aws.client("sts", account_id="123456789012", region="us-east-1")
    assert type(refused.value) is NetworkError
    assert "aws: sts GetCallerIdentity (123456789012 us-east-1): EndpointConnectionError" in stream.getvalue()


def test_calls_are_followed_where_somebody_asked() -> None:
    assert settings(context(io.StringIO())).follow is None
    assert settings(context(io.StringIO(), verbose=True)).follow is not None


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_takes_both(verb: str) -> None:
    known = parser_of(verb)._option_string_actions
    assert {"-q", "--quiet", "-v", "--verbose"} <= known.keys()


def test_quiet_leaves_out_progress_and_nothing_else() -> None:
    stream = io.StringIO()
    silent = context(stream, quiet=True)
    progress(silent)("site", "waiting")
    with telling(silent, "an answer", first=0.0, again=60):
        pass
    silent.say("warning: this stays")
    assert stream.getvalue() == "warning: this stays\n"
