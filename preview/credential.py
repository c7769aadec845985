"""The preview's own user name and password, and the hash of it for the templates.

Never: stores them, or shows them by itself.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from assembly.model import SecretRef
from preview.interpreter.deployed import SecretValues
from preview.source import Built


@dataclass(frozen=True)
class Credential:
    """`generated`: made by the preview, so that somebody has to be told."""

    username: str
    password: str = field(repr=False)
    hash: str = field(repr=False)
    generated: bool

    @property
    def header(self) -> str:
        """Value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def secret_values(built: Built, credential: Credential | None) -> SecretValues:
    """What comes from Secrets Manager on AWS: the hash, for each parameter that asks for it."""
    if credential is None:
        return {}
    sources = (parameter.source for stack in built.assembly.stacks for parameter in stack.parameters)
    return {(s.secret, s.key): credential.hash for s in sources if isinstance(s, SecretRef) and s.key == "password_hash"}
