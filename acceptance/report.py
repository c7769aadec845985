"""The report of a run, to send back: Markdown for people, JSON for machines.

In: the steps, how far the run got, what failing commands printed. Out: two texts without a secret or the number of an account.
Never: writes a file, or calls an assumption proven by a step that did not pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from acceptance.proofs import HELD, NOT_TRIED
from acceptance.state import Done, State
from acceptance.steps import Step
from guards import masks
from guards.text import printable

TAIL = 40
"""Lines of a failed command's output."""


def assumptions(steps: Sequence[Step], state: State) -> dict[str, str]:
    """Assumption to a word of `acceptance.proofs`; the local AWS holds nothing, though it can refute."""
    told = {name: word for done in state.done for name, word in done.assumptions.items()}
    words = {proof.of: told.get(proof.of, NOT_TRIED) for step in steps for proof in step.proves}
    return {name: "not tried on AWS" if state.local and word == HELD else word for name, word in words.items()}


def as_data(steps: Sequence[Step], state: State, facts: Mapping[str, str], *, left: str = "") -> dict[str, Any]:
    """For JSON. `left`: what stands still, as `destroy --dry-run` says it."""
    results = {done.step: done for done in state.done}
    told = [results.get(step.id) for step in steps]
    return {
        "format": 1,
        "environment": state.environment,
        "local": state.local,
        "began": state.began,
        **facts,
        "passed": all(done is not None and done.result in ("passed", "left out") for done in told),
        "steps": [
            {"step": step.id, "title": step.title, "expected_minutes": step.minutes, "result": "not reached"}
            | (_of(done) if done is not None else {})
            for step, done in zip(steps, told, strict=True)
        ],
        "assumptions": assumptions(steps, state),
        "left": left.splitlines(),
    }


def _of(done: Done) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(done)
    return {**made, "seconds": round(done.seconds, 1)}


def as_markdown(data: Mapping[str, Any], tails: Mapping[str, str]) -> str:
    """`tails`: the end of the output of each command that went wrong, by its log."""
    lines = [
        f"# Acceptance of {data['environment']}",
        "",
        f"{'Passed' if data['passed'] else 'Not passed'}; begun {data['began']}; {'local AWS' if data['local'] else 'AWS'}; "
        + ", ".join(f"{name} {data[name]}" for name in ("commit", "python") if data.get(name)),
        "",
        "| step | result | seconds | expected minutes | |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for step in data["steps"]:
        seconds = f"{step['seconds']:.0f}" if step.get("seconds") else ""
        lines.append(f"| {step['step']} | {step['result']} | {seconds} | {step['expected_minutes']:g} | {_cell(step)} |")
    lines += ["", "## Assumptions", "", "| assumption | result |", "| --- | --- |"]
    lines += [f"| {name} | {result} |" for name, result in sorted(data["assumptions"].items())]
    parts = {"What stands, and costs until it is taken away": data["left"]} if data["left"] else {}
    for title, part in {**parts, **{log: tail.splitlines()[-TAIL:] for log, tail in tails.items()}}.items():
        lines += ["", f"## {title}", "", *(f"    {printable(line)}" for line in part)]
    return "\n".join([*lines, ""])


def _cell(step: Mapping[str, Any]) -> str:
    wrong = [f"`{call['command']}`: {call['wrong']}" for call in step.get("calls", ()) if call["wrong"]]
    return "; ".join([*wrong, *([step["note"]] if step.get("note") else [])]).replace("|", "\\|")


def without_secrets(text: str, accounts: Iterable[str]) -> str:
    """Secrets that the process knows are `***`; numbers of accounts are ACCOUNT, those of others too, and ids of access keys KEY."""
    text = re.sub(r"\b(AKIA|ASIA)[A-Z0-9]{12,}", "KEY", text)
    for account in (*map(re.escape, accounts), r"(?<![A-Za-z])\d{12}(?![A-Za-z])"):
        text = re.sub(rf"(?<!\d){account}(?!\d)", "ACCOUNT", text)
    return masks.masked(text)
