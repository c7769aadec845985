"""What later steps of a job have to know, as NAME=VALUE lines for GITHUB_OUTPUT.

In: an assembly; a saved plan. Out: lines. Never: a value with a line break, which would be a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from assembly import files
from assembly.files import sha256
from assembly.model import Assembly
from delivery.github import SERVER
from delivery.place import Place
from planning.model import Plan


def of_assembly(assembly: Assembly) -> dict[str, str]:
    """The roles that its jobs take on, and where."""
    role = f"arn:aws:iam::{assembly.account_id}:role/"
    return {
        "plan-role": f"{role}{assembly.plan_role_name}" if assembly.plan_role_name else "",
        "pull-request-role": f"{role}{assembly.pull_request_role_name}" if assembly.pull_request_role_name else "",
        "deploy-role": f"{role}{assembly.deploy_role_name}",
        "region": assembly.home_region,
        "url": f"https://{assembly.contract.domain}{assembly.contract.entry_path}" if assembly.contract else "",
    }


def unready(assembly: Assembly, place: Place | None, *, server: str = SERVER, ref: str = "") -> str:
    """Why no job may take on a role of it; "" where one may. A token must not be shown to an account that is only a placeholder's.

    `server` and `ref` as GitHub names them to a job; STS would only say that the job is not authorized.
    """
    where = f"environments/{assembly.environment}.yaml"
    if len(set(assembly.account_id)) == 1:
        return f"{where}: account_id is still the placeholder {assembly.account_id}, so there is no role that a workflow could take on"
    if place is None:
        return f"{where}: no github.repository, so there is no role that a workflow could take on"
    if server != SERVER:
        return f"the roles of {assembly.environment} trust workflows of {SERVER} only, and this is one of {server}"
    if ref and not ref.startswith("refs/pull/") and ref != f"refs/heads/{place.branch}":
        return f"{where}: github.branch is {place.branch}, and this run is of {ref}: no role of {assembly.environment} lets it in"
    return ""


def of_all(dist: Path) -> dict[str, str]:
    """One digest over every assembly below `dist`. Raises `AssemblyError`."""
    found = {path.parent.name: files.read(path.parent)[0].digest for path in sorted(dist.glob(f"*/{files.MANIFEST}"))}
    return {"digest": sha256("".join(f"{name} {digest}\n" for name, digest in found.items()).encode())[:16]}


def of_plan(plan: Plan | None) -> dict[str, str]:
    """Whether there is something to approve, and its digest; None where nothing was saved, as nothing changes or it is blocked."""
    changes = plan is not None and plan.has_changes
    return {"changes": "true" if changes else "false", "digest": plan.digest if plan is not None and changes else ""}


def lines(facts: Mapping[str, str]) -> Iterable[str]:
    """NAME=VALUE, one a line. Raises ValueError for a value that is more than one line."""
    for name, value in facts.items():
        if not value.isprintable():
            raise ValueError(f"{name} is not one line: {value!r}")
        yield f"{name}={value}"
