"""What `adopt` answers: what was found, where it goes, what is other, what stays.

In: nothing but its own fields. Out: frozen values that `--json` prints. Never: AWS, a value of a Terraform state beyond identifiers.
"""

from __future__ import annotations

from typing import Literal

from adoption.comparison import Difference
from adoption.legacy import Shape
from adoption.terraform_types import RECORD
from assembly.model import Frozen
from takeover.model import Taken

Fate = Literal["take_over", "in_place", "refused", "made_new", "gone", "used", "unknown"]
"""`in_place`: the stack has it. `made_new`: it cannot be imported, or not without being replaced later; the stack makes its own and the old
one is left. `gone`: it is said to exist and does not. `used`: it stays its owner's. `unknown`: AWS did not let it be read."""

Kept = Literal["superseded", "used", "setting", "content", "nothing", "left_alone"]
"""`superseded`: the platform has another in its place, so that it may go afterwards. `setting`: part of a resource that is told above.
`content`: objects, which stay in their bucket. `nothing`: it is in the Terraform state only."""


class Row(Frozen, frozen=True, kw_only=True):
    """One resource of the assembly for which something was found."""

    stack: str
    logical_id: str
    type: str
    identifier: dict[str, str]
    source: str
    """How it was found."""
    account_id: str
    region: str
    fate: Fate
    message: str = ""
    """Why, and what happens instead; for a person."""
    command: str = ""
    differences: tuple[Difference, ...] = ()
    """Live and ours; empty where there is none, and where it was not compared."""
    compared: bool = False
    beside: tuple[str, ...] = ()
    """Properties that are set and of which the template says nothing: they stay."""
    legacy: tuple[Shape, ...] = ()

    def taken(self) -> Taken:
        """For the plan that imports."""
        return Taken(
            stack=self.stack,
            logical_id=self.logical_id,
            type=self.type,
            identifier=self.identifier,
            source=self.source,
            account_id=self.account_id,
            region=self.region,
        )


class Left(Frozen, frozen=True, kw_only=True):
    """One thing that no stack gets."""

    what: str
    """Its type, as its source calls it."""
    identifier: str
    source: str
    why: Kept
    message: str
    there: bool | None = None
    """Whether AWS has it still; None where that was not asked, or could not be told."""


class StateFile(Frozen, frozen=True, kw_only=True):
    """One Terraform state that was read."""

    file: str
    """As it was named on the command line; - is stdin."""
    state_rm: tuple[str, ...]
    """Addresses that have to leave it, as `terraform state rm` takes them."""


class AdoptionReport(Frozen, frozen=True, kw_only=True):
    """All of an environment."""

    environment: str
    rows: tuple[Row, ...]
    left: tuple[Left, ...] = ()
    made_new: int = 0
    """Resources of the assembly for which nothing was found."""
    states: tuple[StateFile, ...] = ()
    """The Terraform states that were read, with what has to leave each."""
    notes: tuple[str, ...] = ()
    """What could not be looked up or read at AWS."""
    left_out: tuple[str, ...] = ()
    """What could not be read of the state."""

    @property
    def state_rm(self) -> tuple[str, ...]:
        """Addresses that have to leave a Terraform state."""
        return tuple(address for each in self.states for address in each.state_rm)

    @property
    def to_take_over(self) -> tuple[Row, ...]:
        """What can be imported."""
        return tuple(row for row in self.rows if row.fate == "take_over")

    @property
    def refused(self) -> tuple[Row, ...]:
        """What stands in the way."""
        return tuple(row for row in self.rows if row.fate in ("refused", "unknown"))

    @property
    def replaces_records(self) -> bool:
        """A record set stands where a stack makes its own."""
        return any(row.type == RECORD and row.fate == "made_new" and row.compared for row in self.rows)

    @property
    def unmanaged(self) -> tuple[str, ...]:
        """What of the old no stack has, in words; for --check."""
        rows = (
            f"{r.stack}.{r.logical_id}: {' '.join(r.identifier.values())}"
            for r in self.rows
            if r.fate in ("take_over", "refused", "unknown")
        )
        old = (
            f"{each.what} {each.identifier}: {each.message}" for each in self.left if each.why == "superseded" and each.there is not False
        )
        made_new = (f"{r.type} {' '.join(r.identifier.values())}: {r.message}" for r in self.rows if r.fate == "made_new")
        return (*rows, *made_new, *old)
