"""The kept password of the local AWS, which has many accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from session.context import Context
from session.local_password import keep, known, make
from tests.environments_fixture import environments
from tests.scripted import Scripted, ScriptedAws


def test_two_accounts_with_a_secret_of_one_name_keep_two_passwords(tmp_path: Path) -> None:
    from stacks.synthesis import synthesise

    first = synthesise(environments()["dev"]).assembly
    second = msgspec.structs.replace(first, account_id="444455556666")
    context = Context(root=tmp_path, token_hex=lambda count: "5a" * count)
    password, hashed = make(context)
    other, other_hash = make(Context(root=tmp_path, token_hex=lambda count: "a5" * count))
    keep(context, first, password)
    keep(context, second, other)

    def aws_with(hash_: str) -> Any:
        secret = {"SecretString": msgspec.json.encode({"username": "admin", "password_hash": hash_}).decode()}
        return ScriptedAws({"secretsmanager": Scripted(get_secret_value=secret)})

    assert known(context, aws_with(hashed), first) == (password, hashed)
    assert known(context, aws_with(other_hash), second) == (other, other_hash)
    assert known(context, aws_with(other_hash), first) == ("", other_hash)
