"""python build.py --env ENV: from the environment files to linted CloudFormation in dist/ENV, without AWS.

In: environments/, stacks/, policies/, lambda/. Out: dist/<env>/ (templates and assembly.json), a summary on stdout.
Never: credentials, secrets, the network, AWS.

Exit status: 0 built (or, with --check, up to date), 1 lint findings or a failed write (or out of date), 2 usage or bad environment files.
"""

from __future__ import annotations

import sys

if getattr(sys.flags, "safe_path", False):  # PYTHONSAFEPATH leaves out the folder of the program, which is all of it
    sys.path.insert(0, __file__.rpartition("/")[0])

from guards import early

if __name__ == "__main__":
    early.begin("build", sys.argv[1:])

from guards.interpreter import as_called, use_the_projects

if __name__ == "__main__":
    use_the_projects()

import argparse
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from assembly.ending import Parser, UsageError, ended
from assembly.envelope import Answer
from guards import masks
from guards.slips import did_you_mean
from guards.stream import install
from guards.termination import final
from guards.text import as_lines, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from environments.loader import Platform
    from lint.gate import Finding
    from lint.handlers import ProvisionedStack
    from stacks.synthesis import Synthesis

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / "environments"
NEW = "new-environment"
WORKERS = 2
MESSAGE_LENGTH = 300
"""Characters of a finding; cfn-lint quotes lists of hundreds of names. --json has them whole."""

EXAMPLES = """examples:
  python build.py --env dev                build dist/dev
  python build.py --env all                build every environment of environments/
  python build.py --env prod --check       fail if dist/prod is not what would be built
  python build.py --env all --json | jq    the summary for machines
  python build.py new-environment qa --from sit    a further environment file
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    typed = tuple(sys.argv[1:] if argv is None else argv)
    further = typed[:1] == (NEW,)
    parser, words = (_new_parser(), typed[1:]) if further else (_parser(), typed)
    answer = Answer()

    def run() -> int:
        if not further:
            _refuse_slip(typed)
        arguments = parser.parse_args(words)
        arguments.typed, arguments.answer = words, answer
        return _new(arguments) if further else _run(arguments)

    return ended("build", parser, run, answer, machine="--json" in typed, interrupted="dist/ is as it was")


def _script() -> tuple[str, ...]:
    """This script, as somebody here would call it."""
    return as_called(sys.orig_argv, sys.argv, sys.executable, ROOT / "build.py")


def _refuse_slip(words: tuple[str, ...]) -> None:
    """Raise `UsageError` for a first word that is no option, with what was probably meant."""
    first = words[0] if words else ""
    if first and not first.startswith("-"):
        meant = did_you_mean(first, [NEW])
        if meant or "--env" in words:
            raise UsageError(f"there is no {first!r} here{meant}")
        command = shlex.join([*_script(), "--env", *words])
        raise UsageError(f"{first!r} is no option; an environment is given with --env", command)


def _new_parser() -> Parser:
    parser = Parser(
        prog=f"build.py {NEW}",
        description="Write the file of a further environment, after one that there is: its name in every name, and a domain of its own.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="name of the new environment")
    parser.add_argument("--from", dest="other", required=True, metavar="ENV", help="the environment to begin with")
    parser.add_argument("--account", default="", metavar="ID", help="AWS account (default: that of ENV)")
    parser.add_argument("--domain", default="", metavar="DOMAIN", help="domain (default: that of ENV with the other name in it)")
    parser.add_argument(
        "--environments", type=Path, default=ENVIRONMENTS, metavar="DIR", help="where the files are (default: environments)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _new(arguments: argparse.Namespace) -> int:
    """Write the file of a further environment."""
    from environments.new import new_environment
    from environments.problems import EnvironmentProblems

    directory = _shown(arguments.environments)
    try:
        made = new_environment(directory, arguments.name, arguments.other, account_id=arguments.account, domain=arguments.domain)
        file = directory / f"{arguments.name}.yaml"
        _write_new(file, made.text)
    except EnvironmentProblems as error:
        return _refused(arguments.answer, [*map(str, error.problems)])
    except OSError as error:
        return _refused(arguments.answer, [f"{error.filename or directory}: {error.strerror}"])
    where = [] if arguments.environments == ENVIRONMENTS else ["--environments", str(arguments.environments)]
    command = shlex.join([*_script(), "--env", arguments.name, *where])
    arguments.answer.typed.append(command)
    arguments.answer.data = {"file": str(file), "changed": dict(made.changed)}
    if not arguments.json:
        print(as_lines((f"{file}, after {arguments.other}:", *(f"  {key}: {value}" for key, value in made.changed), f"  next: {command}")))
    return 0


def _write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet; a full disk or an interrupt leaves none, since half of one would stop every build."""
    with file.open("x", encoding="utf-8") as out:
        try:
            out.write(text)
            out.flush()
        except BaseException:
            file.unlink()
            raise


def _refused(answer: Answer, problems: list[str]) -> int:
    for problem in problems:
        answer.problem("environments", problem)
        print(as_lines((problem,)), file=sys.stderr)
    print(f"build: {plural(len(problems), 'problem')}; nothing was written", file=sys.stderr)
    return 2


def _parser() -> Parser:
    parser = Parser(
        prog="build.py",
        description="Write the linted CloudFormation templates of an environment to dist/.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--env",
        required=True,
        metavar="ENV",
        help='environment to build, by the name of its file, or "all", which also removes from DIR what has no file any more',
    )
    parser.add_argument(
        "--environments", type=Path, default=ENVIRONMENTS, metavar="DIR", help="where the environment files are (default: environments)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="where to write (default: dist)")
    parser.add_argument("--format", choices=("json", "yaml"), default="json", help="yaml: also write each template as YAML, for reading")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if DIR differs from what would be built")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="also show informational and suppressed findings")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    # Heavy imports wait until the command line is known to be right, so that --help is instant.
    from environments.loader import load, names
    from environments.problems import EnvironmentProblems
    from stacks.edge_code import EdgeCodeError
    from stacks.synthesis import SynthesisError

    directory = _shown(arguments.environments)
    wanted = names(directory) if arguments.env == "all" else (arguments.env,)
    try:
        platform = load(directory, wanted)
        built = [_synthesis(platform, name) for name in wanted]
    except (EnvironmentProblems, SynthesisError, EdgeCodeError) as error:
        return _refused(arguments.answer, [str(problem) for problem in error.problems])
    findings = _lint(built)
    failed = any(finding.level != "informational" for found in findings.values() for finding in found)
    outdated: list[str] = []
    if not failed:
        try:
            outdated = _write(arguments, built, platform, directory)
        except OSError as error:
            told = f"build: cannot write {error.filename or arguments.out}: {error.strerror}; the last good build is untouched"
            print(as_lines((told,)), file=sys.stderr)
            arguments.answer.problem("not_written", told.removeprefix("build: "))
            return 1
    removed = [] if failed or arguments.check or arguments.env != "all" else _without_leftovers(arguments, wanted)
    _report(arguments, built, findings, outdated, removed, zone_rivals=platform.zone_rivals)
    return 1 if failed or (arguments.check and outdated) else 0


def _synthesis(platform: Platform, name: str) -> Synthesis:
    from environments.model import Organization
    from stacks.synthesis import synthesise, synthesise_organization

    described = platform[name]
    if isinstance(described, Organization):
        return synthesise_organization(described, tuple(platform.environments[member] for member in described.environments))
    return synthesise(described, zone_contested=name in platform.zone_rivals)


def _lint(built: list[Synthesis]) -> dict[str, tuple[Finding, ...]]:
    from lint.gate import Job, lint
    from lint.handlers import check
    from lint.verdicts import place, today
    from policies.handlers import LEFT_OUT, STANDS_FOR

    jobs = [
        Job(
            stack_id=f"{synthesis.assembly.environment}/{stack.id}",
            template=synthesis.templates[stack.id],
            regions=stack.stackset.targets.regions if stack.stackset else (stack.region,),
        )
        for synthesis in built
        for stack in synthesis.assembly.stacks
    ]
    cache = place(os.environ, ROOT)
    unmakeable = check(_made(built), LEFT_OUT, STANDS_FOR, remedy="policies/handlers.py", cache_folder=cache)
    return {stack: (*found, *unmakeable.get(stack, ())) for stack, found in lint(jobs, cache=cache, workers=WORKERS, day=today()).items()}


def _made(built: list[Synthesis]) -> list[ProvisionedStack]:
    """The stacks that CloudFormation makes with one of the platform's roles."""
    from lint.handlers import ProvisionedStack

    return [
        ProvisionedStack(
            stack_id=f"{synthesis.assembly.environment}/{stack.id}",
            stack_name=stack.stack_name,
            template=synthesis.templates[stack.id],
            regions=stack.stackset.targets.regions if stack.stackset else (stack.region,),
            role=maker.role,
            policies=maker.policies,
            where=maker.where,
        )
        for synthesis in built
        for stack in synthesis.assembly.stacks
        if (maker := synthesis.makers.get(stack.id))
    ]


def _write(arguments: argparse.Namespace, built: list[Synthesis], platform: Platform, environments: Path) -> list[str]:
    """Writes every assembly; returns what differed before."""
    from assembly import files, sources
    from guards.checkout import commit_of

    outdated: list[str] = []
    commit = commit_of(ROOT)
    for synthesis in built:
        directory = arguments.out / synthesis.assembly.environment
        content = files.files_of(
            synthesis.assembly, {stack.template.file: synthesis.templates[stack.id] for stack in synthesis.assembly.stacks}
        )
        if arguments.format == "yaml":
            content.update(_as_yaml(content))
        differing = files.differing(directory, content)
        outdated.extend(str(_shown(directory / name)) for name in differing)
        if arguments.check:
            continue
        read = (environments / f"{name}.yaml" for name in ("common", *platform.files_of(synthesis.assembly.environment)))
        made_from = sources.content(sources.of(ROOT, read, commit=commit))
        if differing or files.differing(directory, {sources.FILE: made_from}):
            files.write(directory, {**content, sources.FILE: made_from})
    return outdated


def _without_leftovers(arguments: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    """Removes the assemblies of environments whose file is gone; returns their directories."""
    from assembly.leftovers import leftovers, remove

    removed = []
    for directory in leftovers(arguments.out, arguments.environments, names, ROOT):
        remove(directory)
        removed.append(str(_shown(directory)))
        print(as_lines((f"build: removed {_shown(directory)}: environments has no {directory.name} any more",)), file=sys.stderr)
    return removed


def _as_yaml(content: dict[str, bytes]) -> dict[str, bytes]:
    from cfn_flip import to_yaml  # type: ignore[import-untyped]

    suffix = ".template.json"
    return {
        f"{name.removesuffix(suffix)}.template.yaml": to_yaml(data.decode(), long_form=False).encode()
        for name, data in content.items()
        if name.endswith(suffix)
    }


def _report(
    arguments: argparse.Namespace,
    built: list[Synthesis],
    findings: dict[str, tuple[Finding, ...]],
    outdated: list[str],
    removed: list[str],
    *,
    zone_rivals: Mapping[str, tuple[str, ...]],
) -> None:
    failing = [finding for found in findings.values() for finding in found if finding.level != "informational"]
    shown = [finding for found in findings.values() for finding in found if arguments.verbose or finding.level != "informational"]
    for finding in shown:
        print(as_lines((_finding_line(finding, built),)), file=sys.stderr)
    answer = arguments.answer
    for finding in failing:
        answer.problem(finding.rule, _finding_line(finding, built))
    if arguments.json:
        answer.data = _summary(arguments, built, findings, outdated, removed)
    else:
        print(as_lines(_table(built, findings, zone_rivals)))
    if failing:
        print(f"build: {plural(len(failing), 'finding')}; nothing was written", file=sys.stderr)
    elif arguments.check and outdated:
        for name in outdated:
            print(as_lines((f"{name}: differs from what would be built",)), file=sys.stderr)
            answer.problem("outdated", f"{name}: differs from what would be built")
        print("build: out of date", file=sys.stderr)
        command = shlex.join([*_script(), *(word for word in arguments.typed if word not in ("--check", "--json"))])
        answer.typed.append(command)
        print(as_lines((f"  next: {command}",)), file=sys.stderr)


def _finding_line(finding: Finding, built: list[Synthesis]) -> str:
    environment, _, stack = finding.stack_id.partition("/")
    source = next(
        (synthesis.sources[stack].get(finding.logical_id or "") for synthesis in built if synthesis.assembly.environment == environment),
        None,
    )
    where = f" ({source})" if source else f" (line {finding.line} of the template)" if finding.line else ""
    path = ".".join(map(str, finding.path[2:] if finding.logical_id else finding.path))
    message = finding.message if len(finding.message) <= MESSAGE_LENGTH else f"{finding.message[:MESSAGE_LENGTH]}..."
    at = f" at {path}" if path else ""
    reason = f" [suppressed: {finding.reason}]" if finding.suppressed else ""
    return f"{finding.stack_id}: {finding.logical_id or '-'}: {finding.rule} {finding.level}: {message}{at}{where}{reason}"


def _table(built: list[Synthesis], findings: dict[str, tuple[Finding, ...]], zone_rivals: Mapping[str, tuple[str, ...]]) -> list[str]:
    rows = [("stack", "region", "resources", "bytes", "findings")]
    for synthesis in built:
        for stack in synthesis.assembly.stacks:
            name = f"{synthesis.assembly.environment}/{stack.id}"
            region = plural(len(stack.stackset.targets.regions), "region") if stack.stackset else stack.region
            size = f"{stack.template.size:,}"
            rows.append((name, region, str(stack.template.resources), size, _findings_cell(findings[name])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        f"{stack:<{widths[0]}}  {region:<{widths[1]}}  {resources:>{widths[2]}}  {size:>{widths[3]}}  {found}".rstrip()
        for stack, region, resources, size, found in rows
    ]
    for assembly in (synthesis.assembly for synthesis in built):
        lines.append(f"{assembly.environment}: {len(assembly.stacks)} stacks, assembly {assembly.digest[:12]}")
        left = list(dict.fromkeys(placeholder.key for placeholder in assembly.placeholders))
        if left:
            lines.append(f"{assembly.environment}: to fill in: {', '.join(left)} (see doctor)")
            if others := zone_rivals.get(assembly.environment):
                lines.append(f"{assembly.environment}: {' and '.join(others)} want the same hosted_zone, in another account")
    return lines


def _findings_cell(found: tuple[Finding, ...]) -> str:
    counts = {
        level: sum(finding.level == level and not finding.suppressed for finding in found)
        for level in ("error", "warning", "informational")
    }
    suppressed = sum(finding.suppressed for finding in found)
    parts = [plural(number, level) if level != "informational" else f"{number} informational" for level, number in counts.items() if number]
    return ", ".join([*parts, *([f"{suppressed} suppressed (-v)"] if suppressed else [])]) or "clean"


def _summary(
    arguments: argparse.Namespace, built: list[Synthesis], findings: dict[str, tuple[Finding, ...]], outdated: list[str], removed: list[str]
) -> dict[str, object]:
    import msgspec

    return {
        "outdated": outdated if arguments.check else [],
        "removed": removed,
        "environments": [
            {
                "environment": synthesis.assembly.environment,
                "directory": str(_shown(arguments.out / synthesis.assembly.environment)),
                "digest": synthesis.assembly.digest,
                "placeholders": [msgspec.to_builtins(placeholder) for placeholder in synthesis.assembly.placeholders],
                "stacks": [
                    {
                        "stack": stack.id,
                        "kind": stack.kind,
                        "account": stack.account_id,
                        "region": stack.region,
                        "resources": stack.template.resources,
                        "size": stack.template.size,
                        "upload": stack.template.upload,
                        "findings": [msgspec.to_builtins(finding) for finding in findings[f"{synthesis.assembly.environment}/{stack.id}"]],
                    }
                    for stack in synthesis.assembly.stacks
                ],
            }
            for synthesis in built
        ],
    }


def _shown(path: Path) -> Path:
    """The path as a person would write it from here; absolute paths of the checkout would only make messages long."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path


if __name__ == "__main__":
    masks.hide_settings(os.environ)
    install()
    final(main)
