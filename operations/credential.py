"""The Basic Auth credential: its hash, its check and the document it is stored as.

In: a password, a source of random octets, a stored document. Out: a PHC string, a verdict, a `Credential`.
Never: talks to AWS, prompts, picks randomness itself, keeps a password, shows a password or a hash in a repr or an error.

A password that somebody chose is hashed with scrypt (RFC 7914), ``$scrypt$ln=14,r=8,p=1$SALT$HASH``. One that is generated here has 150
bits, which no guesser gets through, and is hashed with HMAC-SHA-256 (RFC 2104) under its salt, ``$hmac-sha256$SALT$HASH``, which costs the
edge nothing. Only `generate` makes the second form, so no weak password comes by it. lambda/basic-auth checks the same forms. RFC 7617
wants user name and password in Unicode Normalization Form C before UTF-8; both sides do that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from assembly import commands
from guards import documents

SALT_OCTETS = 16
HASH_OCTETS = 32
DEFAULT_LN = 14
"""log2 of scrypt's N. 2^14 takes some 50 ms on a whole core and 16 MiB; Lambda@Edge has 128 MB, a fraction of a core and 5 s."""

MAX_PASSWORD_OCTETS = 1024
"""The edge refuses headers of more than 2,048 characters."""

MIN_PASSWORD_CHARACTERS = 12

_PHC = re.compile(r"\$(?:scrypt\$ln=(1[45]),r=8,p=1|hmac-sha256)\$([A-Za-z0-9+/]{21}[AQgw])\$([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048])\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 symbols, without the look-alikes l, o, 0 and 1."""


class CredentialError(Exception):
    """A user name, password, hash or stored document that cannot be used. The message never quotes a password or a hash."""


@dataclass(frozen=True)
class Credential:
    """What Secrets Manager stores: who may come in, and the hash of the password. The hash stays out of the repr."""

    username: str
    password_hash: str = field(repr=False)

    def __post_init__(self) -> None:
        check_username(self.username)
        check_hash(self.password_hash)


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: str
    password_hash: str


def hash_password(password: str, salt: bytes, ln: int = DEFAULT_LN) -> str:
    """PHC string of a `password` that somebody chose. `salt`: 16 octets from a cryptographic source; `ln`: 14 or 15.

    Raises CredentialError for a password that `check_password` refuses, and for another salt or cost.
    """
    check_password(password)
    if len(salt) != SALT_OCTETS:
        raise CredentialError(f"the salt must have {SALT_OCTETS} octets, not {len(salt)}")
    if ln not in (14, 15):
        raise CredentialError(f"the scrypt cost ln must be 14 or 15, not {ln}; the edge has too little time and memory for more")
    derived = scrypt(_octets(password), salt, ln=ln, r=8, p=1, length=HASH_OCTETS)
    return f"$scrypt$ln={ln},r=8,p=1${_encode(salt)}${_encode(derived)}"


def verify(password: str, password_hash: str) -> bool:
    """Whether `password` is the one that was hashed; compares in constant time. Raises CredentialError for a malformed hash."""
    match = _matched(password_hash)
    try:
        octets = _octets(password)
    except UnicodeEncodeError:
        return False
    salt = _decode(match[2])
    derived = scrypt(octets, salt, ln=int(match[1]), r=8, p=1, length=HASH_OCTETS) if match[1] else _hmac(octets, salt)
    return hmac.compare_digest(derived, _decode(match[3]))


def scrypt(password: bytes, salt: bytes, *, ln: int, r: int, p: int, length: int) -> bytes:
    """scrypt of RFC 7914 with N = 2^ln."""
    return hashlib.scrypt(password, salt=salt, n=1 << ln, r=r, p=p, dklen=length, maxmem=64 * 1024 * 1024)


def check_username(username: str) -> None:
    """Raises CredentialError unless RFC 7617 can carry the name: no colon, no control characters, 1 to 255 octets."""
    if not username or ":" in username or _CONTROL.search(username) or not _encodable(username) or len(username.encode()) > 255:
        raise CredentialError("the user name must be 1 to 255 octets of UTF-8 without a colon or control characters (RFC 7617)")


def check_password(password: str) -> None:
    """Raises CredentialError, all problems in one message, unless the password is long enough and RFC 7617 can carry it."""
    problems = []
    if len(password) < MIN_PASSWORD_CHARACTERS:
        problems.append(f"it must have at least {MIN_PASSWORD_CHARACTERS} characters")
    if _CONTROL.search(password):
        problems.append("control characters (a line break, a tab) cannot be sent in Basic Auth (RFC 7617)")
    if not _encodable(password):
        problems.append("it is not text that UTF-8 can encode")
    elif len(_octets(password)) > MAX_PASSWORD_OCTETS:
        problems.append(f"it must have at most {MAX_PASSWORD_OCTETS:,} octets in UTF-8")
    if problems:
        raise CredentialError("the password cannot be used: " + "; ".join(problems))


def check_hash(password_hash: str) -> None:
    """Raises CredentialError unless the text is a hash that the edge accepts."""
    _matched(password_hash)


def generate(random_octets: Callable[[int], bytes]) -> tuple[str, str]:
    """A password of 150 bits, six groups of five characters, and its hash.

    `random_octets(n)` returns n octets from a cryptographic source, like `secrets.token_bytes`.
    """
    symbols = [_ALPHABET[octet % 32] for octet in random_octets(30)]
    password = "-".join("".join(symbols[start : start + 5]) for start in range(0, 30, 5))
    salt = random_octets(SALT_OCTETS)
    return password, f"$hmac-sha256${_encode(salt)}${_encode(_hmac(_octets(password), salt))}"


def to_json(credential: Credential) -> str:
    """The secret's text: ``{"username", "password_hash"}``."""
    return msgspec.json.encode(_Document(credential.username, credential.password_hash)).decode()


def from_json(text: str | bytes) -> Credential:
    """The credential of a secret's text. Raises CredentialError, without the text in it, for any other document."""
    try:
        document = documents.decode(text, _Document)
    except documents.Unreadable:
        # Without the cause: the decoder's messages may quote what is stored.
        raise CredentialError(
            'the secret is not a JSON object of exactly "username" and "password_hash", both text; '
            f"store it again: {commands.deploy('set-password', 'ENVIRONMENT')}"
        ) from None
    return Credential(document.username, document.password_hash)


def _matched(password_hash: str) -> re.Match[str]:
    match = _PHC.match(password_hash)
    if match is None:
        raise CredentialError(
            "the password hash is not of the form $scrypt$ln=14,r=8,p=1$SALT$HASH or $hmac-sha256$SALT$HASH; "
            f"store it again: {commands.deploy('set-password', 'ENVIRONMENT')}"
        )
    return match


def _hmac(password: bytes, salt: bytes) -> bytes:
    return hmac.digest(salt, password, "sha256")


def _octets(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode()


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
