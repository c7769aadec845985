"""What stands after an apply or a publish, and what comes next. In: assembly, outcome. Out: texts, data. Never: judges, prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assembly import commands
from assembly.commands import DIGEST_DIGITS
from assembly.model import Assembly
from guards.text import as_lines, split_lines
from website.run import Outcome, count, size

if TYPE_CHECKING:
    from rollout.apply import Applied


def ended(assembly: Assembly, applied: Applied, *, local: bool) -> str:
    """The end of an apply as text: how it went, and, where it went well, what stands."""
    from review.progress_view import summary

    lines = split_lines(summary(applied))
    if applied.result == "succeeded":
        lines += what_exists(assembly, applied, local=local)
    return as_lines(lines)


def what_exists(assembly: Assembly, applied: Applied, *, local: bool) -> Iterator[str]:
    """What stands after a successful apply, and how to see it."""
    environment, contract, secret = assembly.environment, assembly.contract, assembly.basic_auth_secret

    def then(command: str) -> Iterator[str]:
        yield from (f"  {line}" for line in commands.told(command))

    outputs = sum(len(outcome.outputs) for outcome in applied.stacks)
    if outputs:
        yield f"outputs:  {outputs}"
        yield from then(commands.deploy("outputs", environment))
    if contract is None:
        return
    here = "on the local AWS, which has no host names: the preview shows it"
    yield f"site:     {here if local else f'https://{contract.domain}{contract.entry_path}'}"
    if secret is not None:
        yield f"password: of user {secret.username}{'' if local else ', known to whoever set it'}"
        if local:
            yield from then(commands.deploy("password", environment))
    if applied.content is None:
        yield "content:  not part of this plan"
        yield from then(commands.deploy("publish", environment, "--content", "DIR"))
    if local:
        yield from then(commands.deploy("preview", environment))
    yield from then(commands.deploy("verify", environment))


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """For machines."""
    return {
        "changed": outcome.changed,
        "release": outcome.release,
        "written": len(outcome.plan.changes) if outcome.changed else 0,
        "written_bytes": outcome.plan.upload_size if outcome.changed else 0,
        "invalidation": outcome.invalidation,
        "invalidation_done": outcome.invalidation_done,
        "live": outcome.invalidation_done,
    }


def outcome_text(outcome: Outcome, environment: str) -> str:
    """For people: what is live now, and the next command."""
    release = outcome.release
    name = f"release {release.number} ({release.content[:DIGEST_DIGITS]})"
    where = "is live" if outcome.invalidation_done else "is in the bucket, and not yet at every edge"
    if not outcome.changed:
        done = f"every edge has now forgotten what was there before (invalidation {outcome.invalidation})"
        more = "nothing to do" if not outcome.invalidation else done if outcome.invalidation_done else "run the same command again"
        return f"{environment}: {name} {where if not outcome.invalidation_done else 'is live already'}; {more}"
    plan = outcome.plan
    lines = [
        f"{environment}: {name} {where}: {count(release.files, 'file')}, {size(release.size)}; "
        f"{count(len(plan.changes), 'file')} written ({size(plan.upload_size)}), {plan.kept:,} kept"
    ]
    if outcome.invalidation:
        lines.append(f"invalidation {outcome.invalidation}: {'every edge has it' if outcome.invalidation_done else 'still under way'}")
    lines += commands.told(commands.deploy("verify", environment))
    return as_lines(lines)
