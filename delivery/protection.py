"""What has to be set in the repository, as `gh` commands: the branch, the environments and their reviewers.

In: the environments that are built. Out: shell lines. Never: runs them: they are an owner's to read and to type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any

from assembly.model import Assembly

CHECK = "required"
"""The job of ci that stands for all others."""


def commands(assemblies: Iterable[Assembly]) -> tuple[str, ...]:
    """Source: GitHub REST API, "Create or update an environment", "Update branch protection", "Set default workflow permissions"."""
    branch = {
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
    found = [
        "# Review, then paste; they take an owner of the repository. {owner}/{repo} is filled in by gh.",
        _api("PUT", "repos/{owner}/{repo}/branches/main/protection", branch),
        _api(
            "PUT",
            "repos/{owner}/{repo}/actions/permissions/workflow",
            {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
        ),
    ]
    for assembly in assemblies:
        if assembly.contract is None:
            continue
        asks = assembly.protected or assembly.approvals > 0
        body = {
            "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
            "prevent_self_review": asks,
            # Otherwise an administrator of the repository deploys without anybody.
            "can_admins_bypass": not asks,
            "reviewers": [{"type": "Team", "id": "TEAM_ID"}] if asks else [],
        }
        if asks:
            found.append("# TEAM_ID: gh api orgs/ORGANISATION/teams/TEAM --jq .id, a number without quotes")
        environment = f"repos/{{owner}}/{{repo}}/environments/{assembly.environment}"
        found.append(_api("PUT", environment, body))
        # Any other protected branch could deploy too. A second time GitHub answers that the branch is there already.
        found.append(_api("POST", f"{environment}/deployment-branch-policies", {"name": "main", "type": "branch"}))
    return tuple(found)


def unguarded(assembly: Assembly, environment: Mapping[str, Any]) -> str:
    """Why nobody has been asked by the environment as GitHub has it; "" where somebody was, or nobody has to be.

    GitHub makes an environment that a workflow names and nobody has set up, without reviewers; and private repositories have no reviewers
    below GitHub Enterprise. Source: GitHub REST API, "Get an environment"; GitHub, "Managing environments for deployment".
    """
    if not assembly.protected or assembly.approvals:
        return ""
    if any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in environment.get("protection_rules") or ()):
        return ""
    return (
        f"{assembly.environment} asks for approval, and GitHub's environment {assembly.environment} has no reviewers: nothing is changed. "
        "Set them up (make protect prints how), or have the deployer ask people: protection.approvals"
    )


def _api(method: str, path: str, body: object) -> str:
    return f"gh api --method {method} {quote(path)} --input - <<< {quote(json.dumps(body))}"
