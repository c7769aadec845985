"""The Basic Auth password of the local AWS: one an environment, so that plan, set-password, preview and verify --local agree.

In: an assembly and the local AWS, the folder of its state. Out: the password that its secret was made of.
Never: kept for AWS itself, whose passwords are known to people alone. The file is 0600 in the 0700 folder of the local AWS, and goes
with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guards import documents
from guards.private import private_directory, read_private, write_private
from session.context import Context

if TYPE_CHECKING:
    from assembly.model import Assembly
    from aws.session import Aws


def make(context: Context) -> tuple[str, str]:
    """A new password and its hash."""
    from operations.credential import generate

    return generate(lambda count: bytes.fromhex(context.token_hex(count)))


def keep(context: Context, assembly: Assembly, password: str) -> None:
    """Remember what the secret of an assembly was made of."""
    from assembly.files import canonical_json

    path = _file(context)
    private_directory(path.parent)
    write_private(path, canonical_json({**_kept(path), _name(assembly): password}), durable=False)


def known(context: Context, aws: Aws, assembly: Assembly) -> tuple[str, str]:
    """The password and its hash as the local AWS has it; ("", hash) where it was set elsewhere. `NotFound` if there is no secret."""
    from aws.secrets import Secrets
    from operations.credential import verify

    wanted = assembly.basic_auth_secret
    assert wanted is not None, "asked by the caller"
    store = Secrets.connect(aws, account_id=assembly.account_id, region=wanted.region)
    hashed = store.json_key(wanted.secret, "password_hash")
    password = _kept(_file(context)).get(_name(assembly), "")
    if not password or not verify(password, hashed):
        return "", hashed
    return password, hashed


def _name(assembly: Assembly) -> str:
    """The local AWS has many accounts and regions, and several may have a secret of that name."""
    wanted = assembly.basic_auth_secret
    assert wanted is not None, "asked by the callers"
    return f"{assembly.account_id} {wanted.region} {wanted.secret}"


def _file(context: Context) -> Path:
    return context.root / ".local-aws" / "passwords.json"


def _kept(path: Path) -> dict[str, str]:
    try:
        found = documents.loads(read_private(path))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
