"""One template under construction: troposphere's, with what every stack of the platform has in common.

In: an environment and the stack's id. Out: a template that knows which Python line made each resource.
Never: knows what any single stack holds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from troposphere import AWSObject, Output, Parameter, Ref, Template

from environments.model import Environment, Organization
from policies.accepted import ACCEPTED

R = TypeVar("R", bound=AWSObject)

DELETE = "Delete"
RETAIN = "Retain"
RETAIN_ONCE_MADE = "RetainExceptOnCreate"
"""DeletionPolicy: retained, but deleted where the operation that made it is rolled back, so that it is not in the next attempt's way.
UpdateReplacePolicy has no such value. Source: CloudFormation template reference, DeletionPolicy attribute."""


class StackTemplate(Template):
    """A template with a description, Metadata that names its module, and the source line of every resource."""

    def __init__(self, env: Environment | Organization, stack_id: str, description: str) -> None:
        super().__init__(
            Description=f"{env.prefix}: {description}",
            Metadata={"Platform": {"Project": env.project, "Environment": env.name, "Stack": stack_id, "Module": _module(stack_id)}},
        )
        self.set_version("2010-09-09")
        self.sources: dict[str, str] = {}
        """`file:line` of the Python that made each resource, by logical id."""

    def add(self, resource: R, *, depth: int = 1) -> R:
        """Add a resource and note the line that made it: the caller's, or with `depth` 2 the caller's caller's."""
        frame = sys._getframe(depth)
        self.sources[str(resource.title)] = f"{_relative(frame.f_code.co_filename)}:{frame.f_lineno}"
        return self.add_resource(resource)

    def input(self, name: str, description: str, *, pattern: str | None = None, no_echo: bool = False) -> Ref:
        """A parameter that the catalogue must feed; the deployer fills it in."""
        checks: dict[str, Any] = {"AllowedPattern": pattern, "ConstraintDescription": f"must match {pattern}"} if pattern else {}
        if no_echo:
            checks["NoEcho"] = True
        return Ref(self.add_parameter(Parameter(name, Type="String", Description=description, **checks)))

    def output(self, name: str, description: str, value: Any) -> None:
        """An output; the catalogue refers to it by this name."""
        self.add_output(Output(name, Description=description, Value=value))


def suppressed(reasons: Mapping[str, str]) -> dict[str, Any]:
    """Resource Metadata that silences lint rules on one resource, each with its reason (`lint.gate`)."""
    return {"cfn-lint": {"config": {"ignore_checks": sorted(reasons)}}, "Suppressed": dict(reasons)}


def accepted(title: str) -> dict[str, Any]:
    """Keyword arguments of a resource whose policies have accepted findings: Metadata in the forms that cdk-nag and checkov read."""
    findings = ACCEPTED.get(title, ())
    if not findings:
        return {}
    rules = [
        {"id": each.finding, "reason": each.reason, **({"applies_to": list(each.applies_to)} if each.applies_to else {})}
        for each in findings
    ]
    # Checkov reads its own ids only, and a foundation is near the size that goes without a bucket.
    skip = [{"id": each.finding, "comment": each.reason} for each in findings if each.finding.startswith("CKV")]
    return {"Metadata": {"cdk_nag": {"rules_to_suppress": rules}, **({"checkov": {"skip": skip}} if skip else {})}}


def _module(stack_id: str) -> str:
    return f"stacks/{stack_id.replace('-', '_')}.py"


def _relative(filename: str) -> str:
    # The part below the checkout, so that messages do not depend on where it lies.
    head, separator, tail = filename.replace("\\", "/").rpartition("/stacks/")
    return f"stacks/{tail}" if separator and head else filename


CERTIFICATE_ARN = r"^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/[0-9a-f-]{36}$"
EDGE_VERSION_ARN = r"^arn:aws[a-z-]*:lambda:us-east-1:[0-9]{12}:function:[A-Za-z0-9_-]+:[0-9]+$"
DISTRIBUTION_ID = r"^[A-Z0-9]{8,20}$"
DISTRIBUTION_DOMAIN = r"^[a-z0-9.-]+$"
WEB_ACL_ARN = r"^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/[A-Za-z0-9_-]+/[0-9a-f-]{36}$"
HOSTED_ZONE_ID = r"^Z[A-Z0-9]{5,31}$"
HEALTH_CHECK_ID = r"^[0-9a-f-]{36}$"
BUCKET_ARN = r"^arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}$"
