"""The two origins of a site: the bucket that is published to, and its replica in another region.

In: an assembly and its templates. Out: `Origins`. Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assembly.model import Assembly
from guards import documents

SITE_STACK, REPLICA_STACK = "site", "replica"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A bucket that CloudFront reads."""

    bucket: str
    account_id: str
    region: str
    partition: str = "aws"

    @property
    def arn(self) -> str:
        """ARN of the bucket."""
        return f"arn:{self.partition}:s3:::{self.bucket}"


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Both of an environment."""

    environment: str
    primary: Origin
    replica: Origin


def origins_of(assembly: Assembly, templates: Mapping[str, bytes]) -> Origins | None:
    """None for an environment without disaster recovery."""
    stacks = {stack.id: stack for stack in assembly.stacks}
    if REPLICA_STACK not in stacks or SITE_STACK not in stacks:
        return None

    def origin(stack_id: str) -> Origin:
        resources = documents.loads(templates[stack_id])["Resources"]
        stack = stacks[stack_id]
        return Origin(bucket=resources["Bucket"]["Properties"]["BucketName"], account_id=stack.account_id, region=stack.region)

    return Origins(environment=assembly.environment, primary=origin(SITE_STACK), replica=origin(REPLICA_STACK))
