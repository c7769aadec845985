"""One request on its way through a distribution, with a step for what each stage did."""

from __future__ import annotations

from dataclasses import dataclass, field

from preview.messages import Response
from preview.model import Behavior, Distribution


@dataclass(frozen=True)
class Step:
    """What one stage did."""

    stage: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The response to a request, how it came about, and, if a function failed, what the terminal has to say of it."""

    response: Response
    steps: tuple[Step, ...]
    failure: str = ""


@dataclass
class Exchange:
    """One request on its way: what every stage needs to know, and the steps so far."""

    distribution: Distribution
    behavior: Behavior
    request_id: str
    steps: list[Step] = field(default_factory=list)

    def step(self, stage: str, text: str) -> None:
        self.steps.append(Step(stage, text))
