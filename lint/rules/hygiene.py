"""What a reader of a template is owed: a description, described outputs, and a reason for every suppressed rule.

In: a template. Out: what is missing.
Never: judges the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lint.rules.base import Problem, Rule
from templates.view import ABSENT, Node, View

_ANATOMY = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


class StackDescription(Rule):
    id = "E9701"
    shortdesc = "A template has a Description"
    description = "It is what the console lists."
    source_url = _ANATOMY

    def check(self, view: View) -> Iterator[Problem]:
        if not _is_text(view.template.get("Description")):
            yield ("Description",), "the template has no Description"


class OutputDescription(Rule):
    id = "E9702"
    shortdesc = "An output has a Description"
    description = "Whoever reads the value should know what it is."
    source_url = _ANATOMY

    def check(self, view: View) -> Iterator[Problem]:
        for output in view.section("Outputs"):
            if isinstance(output.value, dict) and not _is_text(output.value.get("Description")):
                yield output.path, "an output without Description"


class Reasons(Rule):
    id = "E9703"
    shortdesc = "A rule is suppressed on one resource, by its whole id, with a reason"
    description = 'Metadata {"cfn-lint": {"config": {"ignore_checks": ["W1234"]}}, "Suppressed": {"W1234": "why"}}'
    source_url = "https://github.com/aws-cloudformation/cfn-lint#resource-based-metadata"

    def check(self, view: View) -> Iterator[Problem]:
        for node in view.at(Node((), view.template), "Metadata", "cfn-lint"):
            if node.present:
                yield (
                    node.path,
                    "a template does not configure cfn-lint; suppress a rule where it strikes, in the resource's Metadata",
                )
        for resource in view.resources():
            yield from self._of(resource)

    @staticmethod
    def _of(resource: Node) -> Iterator[Problem]:
        metadata = resource.value.get("Metadata")
        path = (*resource.path, "Metadata")
        if not isinstance(metadata, dict):
            return
        reasons = metadata.get("Suppressed", {})
        config = metadata.get("cfn-lint", ABSENT)
        rules = config.get("config", {}) if isinstance(config, dict) else None
        ignored = rules.get("ignore_checks", []) if isinstance(rules, dict) else None
        if not isinstance(reasons, dict) or (config is not ABSENT and not isinstance(ignored, list)):
            yield path, "no suppression that can be read; " + Reasons.description
            return
        ignored = ignored if isinstance(ignored, list) else []
        for rule in ignored:
            if not isinstance(rule, str) or not re.fullmatch(r"[EWI]\d{4}", rule):
                yield (*path, "cfn-lint", "config", "ignore_checks"), f"{rule!r} is no rule id; name each rule in full"
            elif rule.startswith("E0") or rule == Reasons.id:
                yield (*path, "cfn-lint", "config", "ignore_checks"), f"{rule} cannot be suppressed"
            elif not _is_text(reasons.get(rule)):
                yield (*path, "cfn-lint", "config", "ignore_checks"), f"{rule} is suppressed without a reason in Suppressed"
        for rule in reasons:
            if rule not in ignored:
                yield (*path, "Suppressed"), f"a reason for {rule}, which is not suppressed"
