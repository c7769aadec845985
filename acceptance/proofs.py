"""How a step tells whether an assumption of docs/assumptions.md holds.

In: what was built, what the step's commands printed, how the step ended. Out: a word each.
Never: calls held what a passing step could not have refuted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HELD, REFUTED, IN_QUESTION, NOT_TRIED = "held", "refuted", "in question", "not tried"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Regular expressions; `^` is the beginning of a line."""

    of: str
    """Id of the assumption."""
    built: str = ""
    """What a template has where the assumption matters; where none has it, the step says nothing of it."""
    says: str = ""
    """What the step's commands print if it holds; empty: that they end as expected is enough."""
    denies: str = ""
    """What they print if it does not hold, and the step fails: a line of ours, or AWS's refusal."""


def judged(proofs: Iterable[Proof], result: str, printed: str, templates: Iterable[str]) -> Mapping[str, str]:
    """Assumption to what the step says of it."""
    every = tuple(templates)
    return {proof.of: _judged(proof, result, printed, every) for proof in proofs}


def _judged(proof: Proof, result: str, printed: str, templates: tuple[str, ...]) -> str:
    if proof.built and not any(re.search(proof.built, each, re.DOTALL) for each in templates):
        return NOT_TRIED
    if result == "failed" and proof.denies and re.search(proof.denies, printed, re.MULTILINE):
        return REFUTED
    if re.search(proof.says, printed, re.MULTILINE) if proof.says else result == "passed":
        return HELD
    return IN_QUESTION if result == "failed" else NOT_TRIED
