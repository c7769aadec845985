"""From where GitHub's workflows may deploy an environment: what the trust of its deploy role asks for.

In: an assembly and its templates. Out: the deployment environment and the branch. Never: what AWS would not ask for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from assembly.model import Assembly


@dataclass(frozen=True, kw_only=True)
class Place:
    """`environment` as GitHub names it, which may be another name than ours."""

    environment: str
    branch: str


def of(assembly: Assembly, templates: Mapping[str, bytes]) -> Place | None:
    """None where no workflow may deploy it."""
    for template in templates.values() if assembly.deploy_role_name else ():
        for resource in json.loads(template)["Resources"].values():
            if resource.get("Properties", {}).get("RoleName") == assembly.deploy_role_name:
                (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                claims = {name.rpartition(":")[2]: value for name, value in statement["Condition"]["StringEquals"].items()}
                return Place(environment=claims["sub"].rpartition(":")[2], branch=claims["ref"].removeprefix("refs/heads/"))
    return None
