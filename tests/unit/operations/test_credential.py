"""The credential against the RFC 7914 vectors, against itself, and for what it must never show."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import secrets
import traceback
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import credential as c
from stacks.edge_code import PASSWORD_HASH_PATTERN

SALT = bytes(range(16))
PASSWORD = "correct horse battery staple"
HASH = c.hash_password(PASSWORD, SALT)
GENERATED, GENERATED_HASH = c.generate(lambda n: bytes(range(n)))

VECTORS = json.loads((Path(__file__).parents[2] / "edge" / "rfc7914.json").read_text(encoding="utf-8"))["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["password"])
def test_scrypt_is_the_scrypt_of_rfc_7914(vector: dict[str, Any]) -> None:
    derived = c.scrypt(
        vector["password"].encode(), vector["salt"].encode(), ln=vector["ln"], r=vector["r"], p=vector["p"], length=len(vector["hash"]) // 2
    )
    assert derived.hex() == vector["hash"]


def test_a_hash_verifies_its_password_only() -> None:
    assert c.verify(PASSWORD, HASH)
    assert not c.verify(PASSWORD + "x", HASH)
    assert not c.verify("", HASH)
    assert not c.verify("\ud800" + PASSWORD, HASH)


def test_both_costs_that_the_edge_accepts_verify() -> None:
    assert c.verify(PASSWORD, c.hash_password(PASSWORD, SALT, ln=15))


def test_the_salt_counts() -> None:
    assert c.hash_password(PASSWORD, bytes(16)) != HASH


def test_composed_and_decomposed_spellings_are_one_password() -> None:
    composed = "Käsebrötchen für alle"
    assert c.verify(unicodedata.normalize("NFD", composed), c.hash_password(composed, SALT))
    assert c.verify(composed, c.hash_password(unicodedata.normalize("NFD", composed), SALT))


@pytest.mark.parametrize("password_hash", [HASH, GENERATED_HASH])
def test_hash_form_is_the_one_the_template_allows(password_hash: str) -> None:
    assert re.search(PASSWORD_HASH_PATTERN, password_hash)
    c.check_hash(password_hash)


MALFORMED = [
    "",
    "$scrypt$",
    HASH[:-1],
    HASH + "A",
    HASH + "\n",
    HASH + "=",
    " " + HASH,
    HASH.replace("ln=14", "ln=4"),
    HASH.replace("ln=14", "ln=20"),
    HASH.replace("r=8", "r=1"),
    HASH.replace("p=1", "p=2"),
    HASH.replace("scrypt", "argon2id"),
    HASH[:-1] + "B",  # a last character with spare bits set
    HASH[:-44] + "_" + HASH[-43:],
    HASH.replace("ln=14,r=8,p=1$", ""),
    GENERATED_HASH[:-1],
    GENERATED_HASH + "\n",
    GENERATED_HASH.replace("sha256", "sha1"),
    GENERATED_HASH.replace("sha256$", "sha256$ln=14,r=8,p=1$"),
]


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_hashes_are_refused(text: str) -> None:
    with pytest.raises(c.CredentialError, match="set-password"):
        c.check_hash(text)
    with pytest.raises(c.CredentialError):
        c.verify(PASSWORD, text)
    with pytest.raises(c.CredentialError):
        c.Credential("admin", text)


@given(st.text(max_size=120) | st.from_regex(re.compile(PASSWORD_HASH_PATTERN), fullmatch=False))
def test_pattern_of_the_template_and_check_agree(text: str) -> None:
    try:
        c.check_hash(text)
        accepted = True
    except c.CredentialError:
        accepted = False
    assert accepted == (re.fullmatch(PASSWORD_HASH_PATTERN, text) is not None and not text.endswith("\n"))


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("short", "at least 12"),
        ("long enough but\n", "control characters"),
        ("long enough but\x7f", "control characters"),
        ("long enough but \ud800", "UTF-8"),
        ("x" * 1025, "at most 1,024"),
        ("ä" * 513, "at most 1,024"),
    ],
)
def test_unusable_passwords_are_refused_without_being_quoted(password: str, complaint: str) -> None:
    with pytest.raises(c.CredentialError, match=complaint) as raised:
        c.hash_password(password, SALT)
    assert password not in str(raised.value)


def test_every_problem_of_a_password_is_named_at_once() -> None:
    with pytest.raises(c.CredentialError, match=r"at least 12.*control"):
        c.check_password("a\tb")


@pytest.mark.parametrize("username", ["", "a:b", "a\nb", "\x7f", "x" * 256, "\ud800"])
def test_user_names_that_rfc_7617_cannot_carry_are_refused(username: str) -> None:
    with pytest.raises(c.CredentialError, match="RFC 7617"):
        c.Credential(username, HASH)


@pytest.mark.parametrize(("salt", "ln"), [(b"", 14), (bytes(15), 14), (SALT, 13), (SALT, 16)])
def test_other_salts_and_costs_are_refused(salt: bytes, ln: int) -> None:
    with pytest.raises(c.CredentialError):
        c.hash_password(PASSWORD, salt, ln=ln)


def test_the_document_survives_a_round_trip() -> None:
    credential = c.Credential('ädmin "quoted"', HASH)
    assert c.from_json(c.to_json(credential)) == credential


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"username": "admin"}',
        '{"username": "admin", "password_hash": 1}',
        '{"username": "admin", "password": "hunter2hunter2"}',
        '{"username": "admin", "password_hash": "hunter2hunter2"}',
        b'{"username": "\xff", "password_hash": "hunter2hunter2"}',
    ],
)
def test_other_documents_are_refused_without_being_quoted(text: str | bytes) -> None:
    with pytest.raises(c.CredentialError, match="set-password") as raised:
        c.from_json(text)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value, chain=True)).replace(repr(text), "")


def test_the_hash_stays_out_of_reprs() -> None:
    assert HASH.split("$")[-1] not in repr(c.Credential("admin", HASH))


@given(st.binary(min_size=46, max_size=46))
def test_generated_passwords_are_usable_and_use_every_bit(octets: bytes) -> None:
    def made(source: bytes) -> tuple[str, str]:
        return c.generate(io.BytesIO(source).read)

    password, hashed = made(octets)
    c.check_password(password)
    assert re.fullmatch(r"([a-km-np-z2-9]{5}-){5}[a-km-np-z2-9]{5}", password)
    assert c.verify(password, hashed)
    assert not c.verify(password + "x", hashed)
    assert hashed.endswith(c._encode(hmac.new(octets[30:], password.encode(), hashlib.sha256).digest()))
    other, _ = made(bytes([octets[0] ^ 1]) + octets[1:])
    assert other != password
    assert not c.verify(other, hashed)
    same, salted = made(octets[:30] + bytes([octets[30] ^ 1]) + octets[31:])
    assert same == password
    assert salted != hashed


def test_generated_passwords_have_more_bits_than_anybody_guesses() -> None:
    # What lets them do without scrypt: six groups of five of 32 symbols.
    symbols = GENERATED.replace("-", "")
    assert len(symbols) * 5 >= 128
    assert len({c.generate(secrets.token_bytes)[0] for _ in range(100)}) == 100
