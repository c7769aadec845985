"""What has to be set in the repository, as `gh` commands: the branch, the environments and their reviewers.

In: the environments that are built, and from where each is deployed. Out: shell lines. Never: runs them: they are an owner's to read
and to type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any
from urllib.parse import quote as encoded

from assembly.model import Assembly
from delivery.place import Place

CHECK = "required"
"""The job of ci that stands for all others."""


def commands(assemblies: Iterable[tuple[Assembly, Place | None]]) -> tuple[str, ...]:
    """Of what no workflow deploys, nothing.

    Source: GitHub REST API, "Create or update an environment", "Update branch protection", "Set default workflow permissions".
    """
    sites = [(assembly, place) for assembly, place in assemblies if assembly.contract is not None and place is not None]
    return (
        "# Review, then paste; they take an owner of the repository. {owner}/{repo} is filled in by gh.",
        *(_branch(branch) for branch in sorted({place.branch for _, place in sites})),
        _api(
            "PUT",
            "repos/{owner}/{repo}/actions/permissions/workflow",
            {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
        ),
        *(line for assembly, place in sites for line in _environment(assembly, place)),
    )


def _branch(name: str) -> str:
    rules = {
        "required_status_checks": {"strict": True, "checks": [{"context": CHECK}]},
        "enforce_admins": True,
        "required_pull_request_reviews": {
            "required_approving_review_count": 1,
            "require_code_owner_reviews": True,
            "dismiss_stale_reviews": True,
            "require_last_push_approval": True,
        },
        "restrictions": None,
        "required_linear_history": True,
        "allow_force_pushes": False,
        "allow_deletions": False,
        "required_conversation_resolution": True,
    }
    return _api("PUT", f"repos/{{owner}}/{{repo}}/branches/{encoded(name, safe='')}/protection", rules)


def _environment(assembly: Assembly, place: Place) -> tuple[str, ...]:
    asks = assembly.protected or assembly.approvals > 0
    body = {
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
        "prevent_self_review": asks,
        # Otherwise an administrator of the repository deploys without anybody.
        "can_admins_bypass": not asks,
        "reviewers": [{"type": "Team", "id": "TEAM_ID"}] if asks else [],
    }
    path = f"repos/{{owner}}/{{repo}}/environments/{place.environment}"
    return (
        *(("# TEAM_ID: gh api orgs/ORGANISATION/teams/TEAM --jq .id, a number without quotes",) if asks else ()),
        _api("PUT", path, body),
        # Any other protected branch could deploy too. A second time GitHub answers that the branch is there already.
        _api("POST", f"{path}/deployment-branch-policies", {"name": place.branch, "type": "branch"}),
    )


def unguarded(assembly: Assembly, environment: Mapping[str, Any]) -> str:
    """Why nobody has been asked by the environment as GitHub has it; "" where somebody was, or nobody has to be.

    GitHub makes an environment that a workflow names and nobody has set up, without reviewers; and private repositories have no reviewers
    below GitHub Enterprise. Source: GitHub REST API, "Get an environment"; GitHub, "Managing environments for deployment".
    """
    if not assembly.protected or assembly.approvals:
        return ""
    if any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in environment.get("protection_rules") or ()):
        return ""
    name = environment.get("name")
    return (
        f"{assembly.environment} asks for approval, and GitHub's environment {name} has no reviewers: nothing is changed. "
        "Set them up (make protect prints how), or have the deployer ask people: protection.approvals"
    )


def _api(method: str, path: str, body: object) -> str:
    return f"gh api --method {method} {quote(path)} --input - <<< {quote(json.dumps(body))}"
