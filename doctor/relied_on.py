"""What a plan relies on and none of its stacks makes: which of the doctor's checks it needs besides.

In: the assembly, its templates, what was applied last. Out: codes of checks.
Never: runs one, or imports them: most plans need none.
"""

from __future__ import annotations

from collections.abc import Mapping

from assembly.model import Assembly, LiteralValue
from templates.makers import makers_of_table

FOUNDATION = frozenset({"artifact_bucket", "lock_table"})


def foreign_arn(assembly: Assembly) -> str:
    """The certificate that the assembly names outright; empty where a stack makes it."""
    sources = (p.source for s in assembly.stacks if s.id == "site" for p in s.parameters if p.name == "CertificateArn")
    return next((source.value for source in sources if isinstance(source, LiteralValue)), "")


def relied_on(assembly: Assembly, templates: Mapping[str, bytes], last: Assembly | None) -> frozenset[str]:
    """A certificate of others that is new to the environment, or has to be for other names; lock table and artifact bucket where none of
    the stacks makes them.

    `last` was applied last; before the first time the certificate is looked at anyway.
    """
    new = frozenset({"foreign_certificate"} if last is not None and _wanted(assembly) not in (None, _wanted(last)) else ())
    return new if makers_of_table(assembly.lock_table, templates) else new | FOUNDATION


def _wanted(assembly: Assembly) -> tuple[str, tuple[str, ...]] | None:
    """The certificate of others, and what it has to be for."""
    arn = foreign_arn(assembly)
    return (arn, assembly.site.certificate_names) if arn else None
