"""What applying does beside change sets, so that what was reviewed is all that happens.

In: an assembly, the plans of its stacks. Out: notes. Never: asks AWS. (Content, invalidations and replaced resources have sections of
their own in a plan; a secret is written by nobody but set-password.)
"""

from __future__ import annotations

from collections.abc import Iterable

from assembly.model import Assembly
from planning.model import AnyStackPlan, Finding


def beside_change_sets(assembly: Assembly, plans: Iterable[AnyStackPlan]) -> tuple[Finding, ...]:
    """The validation records of certificates, which the deployer itself writes into a zone of another account.

    CloudFormation writes them where the zone is in the stack's own account (template reference, AWS::CertificateManager::Certificate).
    """
    zone, stacks = assembly.hosted_zone, {stack.id: stack for stack in assembly.stacks}
    if zone is None:
        return ()
    return tuple(
        Finding(
            severity="note",
            code="writes_in_zone",
            message=(
                "beside its change set, apply writes the validation records of the certificate (CNAME, one a name) into the hosted zone"
                f" {zone.name} of account {zone.account_id}{f', as {zone.role_arn}' if zone.role_arn else ''};"
                " they stay, as renewals need them"
            ),
            stack=plan.stack,
        )
        for plan in plans
        if plan.operation in ("create", "update", "import")
        and stacks[plan.stack].certificate_validation is not None
        and zone.account_id != stacks[plan.stack].account_id
    )
