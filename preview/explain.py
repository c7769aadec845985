"""The way of one GET through the distribution, as text and as JSON; with the credential as well where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from guards.text import as_lines
from preview.cloudfront.exchange import Outcome
from preview.credential import Credential
from preview.messages import Request
from preview.session import Preview, Settings
from preview.sockets import ADDRESS


@dataclass(frozen=True)
class Explained:
    """A request and what became of it."""

    request: Request
    outcome: Outcome

    @property
    def target(self) -> str:
        return self.request.uri + (f"?{self.request.query}" if self.request.query else "")

    @property
    def credentials(self) -> bool:
        return self.request.get("authorization") is not None


async def explain(settings: Settings, target: str, credential: Credential | None) -> list[Explained]:
    """`target`: path and query. Raises as `Preview.start`."""
    preview = Preview(settings)
    try:
        await preview.start()
        distribution = preview.site.distributions[0]
        host = next(iter(distribution.aliases), distribution.domain_name)
        path, _, query = target.partition("?")
        headers = (("Host", host), ("User-Agent", "preview"), ("Accept-Encoding", "gzip, br"))
        request = Request(method="GET", uri=path, query=query, headers=headers, client_ip=ADDRESS)
        found = [Explained(request, await preview.handle(request, https=True))]
        if found[0].outcome.response.status == 401 and credential is not None:
            known = replace(request, headers=(*headers, ("Authorization", credential.header)))
            found.append(Explained(known, await preview.handle(known, https=True)))
        return found
    finally:
        await preview.stop()


def as_json(explained: Explained) -> dict[str, Any]:
    """One request, its steps and its answer without the body."""
    request, outcome = explained.request, explained.outcome
    return {
        "method": request.method,
        "path": explained.target,
        "credentials": explained.credentials,
        "steps": [{"stage": step.stage, "text": step.text} for step in outcome.steps],
        "status": outcome.response.status,
        "headers": [[name, value] for name, value in outcome.response.headers],
        "bytes": len(outcome.response.body),
    }


def as_text(explained: Explained) -> str:
    """The same for people."""
    request, outcome = explained.request, explained.outcome
    with_password = " with user name and password" if explained.credentials else ""
    width = max(len(step.stage) for step in outcome.steps)
    return as_lines(
        (
            f"{request.method} {explained.target}{with_password}",
            *(f"  {step.stage:<{width}}  {step.text}" for step in outcome.steps),
            f"  {outcome.response.status}, {len(outcome.response.body):,} bytes",
            *(f"    {name}: {value}" for name, value in outcome.response.headers),
        )
    )
