"""The class of our own rules: a rule is an id, a sentence, a source, and a generator of problems over a `View`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch

from templates.view import Path, View

Problem = tuple[Path, str]
"""Where, and what is wrong there and what would be right."""


class Rule(CloudFormationLintRule):
    """Base of our rules; has no id, so cfn-lint does not register it."""

    def check(self, view: View) -> Iterator[Problem]:
        """Every problem of one template."""
        raise NotImplementedError

    def match(self, cfn: Any) -> list[RuleMatch]:
        """cfn-lint's entry point."""
        view = View(cfn.template, tuple(cfn.regions))
        return [RuleMatch(list(path), message) for path, message in self.check(view)]
