"""set-password: the ways in, what is stored, and that the password is seen nowhere but where it must be."""

from __future__ import annotations

import io
import itertools
import json
from argparse import Namespace
from typing import Any

import msgspec
import pytest

from assembly.model import Assembly, BasicAuthSecret
from aws.errors import AccessDenied, AwsError, BadRequest, Conflict, NotFound
from aws.secrets import Secrets
from operations.credential import verify
from session.context import CommandError, Context
from tests.scripted import Scripted
from tests.simulated import ACCOUNT, Small, small_assembly
from verbs import set_password

PASSWORD = "correct horse battery"
HASH = "$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
MISSING = NotFound("Secrets Manager can't find the specified secret.", code="ResourceNotFoundException")
LEAVING = BadRequest("You can't perform this operation on the secret because it was marked for deletion.", code="InvalidRequestException")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def context(stdin: str = "", terminal: bool = False) -> Context:
    counter = itertools.count(1)
    return Context(
        stdin=Terminal(stdin) if terminal else io.StringIO(stdin),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        token_hex=lambda count: f"{next(counter):0{2 * count}x}",
    )


def args(**given: Any) -> Namespace:
    return Namespace(**{"env": "test", "stdin": False, "generate": False, "local": False, **given})


def assembly() -> Assembly:
    made, _ = small_assembly(Small(id="one", template={"Resources": {}}, more={"tags": {"project": "demo"}}))
    return msgspec.structs.replace(made, basic_auth_secret=BasicAuthSecret(secret="demo/basic-auth", region="us-east-1", username="admin"))


def store(**script: Any) -> tuple[Secrets, Scripted]:
    client: Any = Scripted(**script)
    return Secrets(client, ACCOUNT, "us-east-1"), client


def never(question: str) -> str:
    raise AssertionError(f"nobody should ask {question!r}")


# --- the ways in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [f"{PASSWORD}\n", f"{PASSWORD}\r\n", PASSWORD, f"{PASSWORD}\nmore\n"])
def test_stdin_gives_its_first_line_without_the_line_break(line: str) -> None:
    assert set_password._given(args(stdin=True), context(line), never) == PASSWORD


def test_blanks_belong_to_the_password() -> None:
    assert set_password._given(args(stdin=True), context("  two blanks  \n"), never) == "  two blanks  "


def test_an_empty_stdin_and_a_missing_terminal_are_refused_with_what_to_type() -> None:
    with pytest.raises(CommandError, match="empty"):
        set_password._given(args(stdin=True), context(""), never)
    with pytest.raises(CommandError, match=r"no terminal.*--stdin") as caught:
        set_password._given(args(), context(PASSWORD), never)
    assert caught.value.command.endswith(" --generate")


def test_a_terminal_is_asked_twice_and_both_must_agree() -> None:
    answers = iter([PASSWORD, PASSWORD])
    assert set_password._given(args(), context(terminal=True), lambda _: next(answers)) == PASSWORD
    answers = iter([PASSWORD, PASSWORD + "!"])
    with pytest.raises(CommandError, match="not the same") as caught:
        set_password._given(args(), context(terminal=True), lambda _: next(answers))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("bad", ["short", "a tab\tin the middle", "x" * 1025])
def test_a_password_that_cannot_be_used_is_refused_without_quoting_it(bad: str) -> None:
    with pytest.raises(CommandError) as caught:
        set_password._hashed(bad, context())
    assert bad not in str(caught.value)
    assert caught.value.status == 2


def test_what_is_hashed_verifies_and_two_hashes_of_one_password_differ() -> None:
    one = context()
    first, second = set_password._hashed(PASSWORD, one), set_password._hashed(PASSWORD, one)
    assert verify(PASSWORD, first)
    assert verify(PASSWORD, second)
    assert first != second


# --- what is stored -----------------------------------------------------------------------------------------------


def test_a_new_version_of_a_secret_that_is_there() -> None:
    secrets, client = store(put_secret_value={"VersionId": "v2"})
    assert set_password.store_hash(secrets, assembly(), HASH, token="t" * 32) == "v2"
    (call,) = client.called("put_secret_value")
    assert json.loads(call["SecretString"]) == {"username": "admin", "password_hash": HASH}
    assert call["ClientRequestToken"] == "t" * 32


def test_a_missing_secret_is_made_with_the_stacks_tags() -> None:
    secrets, client = store(put_secret_value=MISSING, create_secret={"VersionId": "v1"})
    assert set_password.store_hash(secrets, assembly(), HASH, token="t" * 32) == "v1"
    (call,) = client.called("create_secret")
    assert (call["Name"], call["Tags"]) == ("demo/basic-auth", [{"Key": "project", "Value": "demo"}])
    assert HASH not in call["Description"]


def test_a_secret_that_somebody_made_meanwhile_gets_a_new_version() -> None:
    secrets, client = store(
        put_secret_value=[MISSING, {"VersionId": "v2"}], create_secret=Conflict("exists", code="ResourceExistsException")
    )
    assert set_password.store_hash(secrets, assembly(), HASH, token="t" * 32) == "v2"
    assert len(client.called("put_secret_value")) == 2


def test_a_secret_that_is_scheduled_for_deletion_is_taken_back() -> None:
    secrets, client = store(put_secret_value=[LEAVING, {"VersionId": "v2"}], restore_secret={})
    assert set_password.store_hash(secrets, assembly(), HASH, token="t" * 32) == "v2"
    assert len(client.called("restore_secret")) == 1


@pytest.mark.parametrize("error", [AccessDenied("not authorized"), BadRequest("too long")])
def test_other_refusals_come_through_and_nothing_else_is_tried(error: AwsError) -> None:
    secrets, client = store(put_secret_value=error)
    with pytest.raises(AwsError) as caught:
        set_password.store_hash(secrets, assembly(), HASH, token="t" * 32)
    assert caught.value is error
    assert HASH not in str(caught.value)
    assert len(client.calls) == 1


def test_a_secret_that_is_being_deleted_has_no_version_and_the_plan_says_what_to_type() -> None:
    secrets, _ = store(describe_secret={"DeletedDate": "2026-11-27", "VersionIdsToStages": {"v1": ["AWSCURRENT"]}})
    with pytest.raises(NotFound, match="marked for deletion"):
        secrets.current_version("demo/basic-auth")
