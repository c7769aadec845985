"""What has to be set in the repository, as `gh` commands: the branch, the environments and their reviewers.

In: the environments that are built. Out: shell lines. Never: runs them: they are an owner's to read and to type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from shlex import quote

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
            "deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False},
            "prevent_self_review": asks,
            "reviewers": [{"type": "Team", "id": "TEAM_ID"}] if asks else [],
        }
        if asks:
            found.append("# TEAM_ID: gh api orgs/ORGANISATION/teams/TEAM --jq .id, a number without quotes")
        found.append(_api("PUT", f"repos/{{owner}}/{{repo}}/environments/{assembly.environment}", body))
    return tuple(found)


def _api(method: str, path: str, body: object) -> str:
    return f"gh api --method {method} {quote(path)} --input - <<< {quote(json.dumps(body))}"
