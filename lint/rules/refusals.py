"""The rules of `refusals` as rules of cfn-lint: one class for each, made from its declaration.

In: a template. Out: what services refuse in it. Never: evaluates a template twice: all rules share one reading of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from cfnlint.rules._rule import RuleMatch

from lint.rules.base import Problem, Rule
from refusals import problems
from refusals.values import REFUSALS
from templates.view import View

_READ: WeakKeyDictionary[Any, list[tuple[str, Problem]]] = WeakKeyDictionary()


class Refused(Rule):
    """Base of the rules made below; has no id."""

    def check(self, view: View) -> Iterator[Problem]:
        return (problem for _, problem in problems(view.template, view.regions, [rule for rule in REFUSALS if rule.id == self.id]))

    def match(self, cfn: Any) -> list[RuleMatch]:
        if cfn not in _READ:
            _READ[cfn] = list(problems(cfn.template, tuple(cfn.regions)))
        return [RuleMatch(list(path), words) for rule, (path, words) in _READ[cfn] if rule == self.id]


for _rule in REFUSALS:
    _texts = {"id": _rule.id, "shortdesc": _rule.what, "description": _rule.more, "source_url": _rule.source, "__module__": __name__}
    globals()[f"Refused{_rule.id}"] = type(f"Refused{_rule.id}", (Refused,), _texts)
