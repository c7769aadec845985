"""python -m lint TEMPLATE...: the gate over any template file, and the list of its rules.

In: CloudFormation templates, JSON or (by the ending of the name) YAML; `-` is standard input. Out: findings on stdout.
Never: writes, AWS, the configuration of cfn-lint.

Exit status: 0 clean (informational findings are none), 1 findings, 2 usage, or a file that cannot be read or is no template.
"""

from __future__ import annotations

import sys

from guards import early

if __name__ == "__main__":
    early.begin("lint", sys.argv[1:])

from guards.interpreter import use_the_projects

if __name__ == "__main__":
    use_the_projects()

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assembly.ending import Parser, ended
from assembly.envelope import Answer
from guards import documents, masks
from guards.stream import install
from guards.termination import final
from guards.text import as_lines
from lint.gate import Finding, Job, lint
from lint.verdicts import place, today

STDIN = "-"
WORKERS = 2
_YAML = (".yaml", ".yml")

EXAMPLES = """examples:
  python -m lint site.template.json                     for us-east-1
  python -m lint a.json b.yaml --region eu-west-1       several, for another region
  python -m lint - --json < site.template.json | jq     the findings for machines (.data)
  python -m lint --rules > docs/lint-rules.md           our own rules, as a document
"""


class NoTemplate(Exception):
    """A file that cannot be linted, and why."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser, answer = _parser(), Answer()
    typed = sys.argv[1:] if argv is None else argv
    return ended("lint", parser, lambda: _begin(parser, argv, answer), answer, machine="--json" in typed)


def _begin(parser: argparse.ArgumentParser, argv: list[str] | None, answer: Answer) -> int:
    arguments = parser.parse_args(argv)
    if bool(arguments.templates) == arguments.rules:
        parser.error("expected either TEMPLATE or --rules")
    if arguments.rules:
        from lint.rules_document import rules_document

        if arguments.json:
            parser.error("--rules is a document; it has no --json")
        sys.stdout.write(rules_document())
        return 0
    return _run(arguments, answer)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m lint",
        description="Lint CloudFormation templates as build.py does.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "templates", nargs="*", metavar="TEMPLATE", help="file in JSON, or in YAML by its ending; - is standard input (JSON)"
    )
    parser.add_argument("--region", action="append", metavar="REGION", help="region of deployment, repeatable (default: us-east-1)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--rules", action="store_true", help="print docs/lint-rules.md")
    parser.add_argument("-v", "--verbose", action="store_true", help="also show informational and suppressed findings")
    return parser


def _run(arguments: argparse.Namespace, answer: Answer) -> int:
    regions = tuple(arguments.region or ("us-east-1",))
    jobs: list[Job] = []
    problems: list[str] = []
    for name in dict.fromkeys(arguments.templates):
        try:
            jobs.append(Job(stack_id=name, template=_template(name), regions=regions))
        except NoTemplate as error:
            problems.append(f"{name}: {error}")
    found = lint(jobs, cache=place(os.environ, Path(__file__).resolve().parent.parent), workers=WORKERS, day=today())
    problems.extend(sorted({finding.message for findings in found.values() for finding in findings if finding.rule == "E9700"}))
    every = [finding for findings in found.values() for finding in findings if finding.rule != "E9700"]
    failing = [finding for finding in every if finding.level != "informational"]
    for problem in problems:
        answer.problem("not_linted", problem)
    if arguments.json:
        answer.data = {"templates": [{"file": name, "findings": findings} for name, findings in found.items()]}
        for finding in failing:
            answer.problem(finding.rule, _line(finding))
    else:
        for finding in every if arguments.verbose else failing:
            print(as_lines((_line(finding),)))
    for problem in problems:
        print(as_lines((problem,)), file=sys.stderr)
    print(f"lint: templates {len(found)}, findings {len(failing)}, not linted {len(problems)}", file=sys.stderr)
    return 2 if problems else 1 if failing else 0


def _template(name: str) -> bytes:
    """The template as JSON bytes. Raises NoTemplate."""
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise NoTemplate(f"cannot be read: {error.strerror}") from error
    if name.lower().endswith(_YAML):
        data = _from_yaml(data)
    try:
        template = documents.loads(data, _once)
    except documents.Unreadable as error:
        raise NoTemplate(f"not JSON: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise NoTemplate("no CloudFormation template: there is no mapping Resources at its top level")
    return data


def _from_yaml(data: bytes) -> bytes:
    import yaml
    from cfn_flip import to_json  # type: ignore[import-untyped]
    from cfn_tools.yaml_loader import CfnYamlLoader  # type: ignore[import-untyped]

    class Loader(CfnYamlLoader):  # type: ignore[misc]
        """As `to_json` reads, with each key once."""

    Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: _once(loader.construct_pairs(node)))
    try:
        yaml.load(data.decode(), Loader)  # noqa: S506 - a safe one
        return str(to_json(data.decode())).encode()
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NoTemplate(f"not YAML: {error}") from error


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The mapping. Raises ValueError for two values of one key, of which only one would be judged."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key!r} stands twice in one mapping")
        made[key] = value
    return made


def _line(finding: Finding) -> str:
    where = f"{finding.stack_id}:{finding.line}" if finding.line and not finding.stack_id.lower().endswith(_YAML) else finding.stack_id
    path = ".".join(map(str, finding.path[2:] if finding.logical_id else finding.path))
    reason = f" [suppressed: {finding.reason}]" if finding.suppressed else ""
    at = f" at {path}" if path else ""
    return f"{where}: {finding.logical_id or '-'}: {finding.rule} {finding.level}: {finding.message}{at}{reason}"


if __name__ == "__main__":
    masks.hide_settings(os.environ)
    install()
    final(main)
