"""What AWS's services refuse in a resource as a whole, beyond the limits of single properties: settings that contradict each other, parts
that are missing, texts in languages of their own (policies, dashboards, expressions), references to things of another kind.

In: a parsed template and its regions. Out: problems by rule, each rule with its sentence and source.
Never: AWS, cfn-lint, a file; judges how safe something is (that is for `lint.rules`); takes what only AWS will know for a fault.

`worlds` reads a template as each deployment would have it; a module a service declares rules over that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from refusals import (
    certificates,
    cloudformation,
    cloudwatch,
    dashboards,
    documents,
    dynamodb,
    every,
    firewall,
    iam,
    keys,
    logs,
    route53,
    s3,
    sns,
)
from refusals.deployments import deployments
from refusals.values import REFUSALS, Problem, Refusal

MODULES = (certificates, cloudformation, cloudwatch, dashboards, documents, dynamodb, every, firewall, iam, keys, logs, route53, s3, sns)
"""One a service; they declare their rules when they are imported."""


def problems(template: Any, regions: tuple[str, ...], rules: Sequence[Refusal] = REFUSALS) -> Iterator[tuple[str, Problem]]:
    """Every problem of a template once: the rule's id, the place in the template, the words."""
    resources = template.get("Resources") if isinstance(template, dict) else None
    made = {str(each.get("Type")) for each in resources.values() if isinstance(each, dict)} if isinstance(resources, dict) else set()
    asked = [rule for rule in rules if made & set(rule.kinds)]
    seen: set[tuple[str, Problem]] = set()
    for deployment in deployments(template, regions) if asked else ():
        for rule in asked:
            for resource in deployment.of(*rule.kinds):
                for path, words in rule.check(resource, deployment):
                    found = (rule.id, (("Resources", resource.name, "Properties", *path), words))
                    if found not in seen:
                        seen.add(found)
                        yield found
