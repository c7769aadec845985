"""What every value of the model is built on.

In: nothing. Out: `Value`, and the types that more than one file of the model needs. Never: knows a key of the environment files.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

DomainName = Annotated[
    str,
    Meta(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])\Z",
        max_length=253,
        description="Lower-case DNS name without a trailing dot.",
    ),
]


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every value of the model."""
