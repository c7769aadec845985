"""The lint gate: cfn-lint and our own rules over the templates that are about to be written.

In: canonical JSON templates and the regions each is deployed to. Out: findings a job, in a fixed order; what fails a build is the
caller's decision (errors and warnings do, informational are shown).
Never: talks to AWS, reads a `.cfnlintrc` (the verdict depends on the arguments alone), imports cfn-lint when every verdict is cached.

A verdict is cached by what it depends on: template bytes, regions, the day (for runtimes, which end), the versions of cfn-lint and
Python, our configuration, and the sources of our rules. cfn-lint takes a second to load, so its version is read from the name of its
dist-info directory.

Suppressing a rule on one resource, in that resource's Metadata; the reason is not optional:

    {"cfn-lint": {"config": {"ignore_checks": ["W3037"]}}, "Suppressed": {"W3037": "cfn-lint does not know cloudformation:SetAlias"}}
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from assembly.model import Frozen
from guards import documents
from lint.rules import MODULES
from lint.verdicts import Verdicts

if TYPE_CHECKING:
    from cfnlint.match import Match
    from cfnlint.rules._rules import Rules

Level = Literal["error", "warning", "informational"]

POOL_THRESHOLD = 16
"""Missing verdicts from which a second process pays for itself (benchmarks/lint.py)."""

_UNSUPPRESSIBLE = ("E0", "E9703")
_SECTIONS = ("Resources", "Parameters", "Outputs", "Mappings", "Conditions")
_SUPPRESSIONS = "Suppressed"


class Job(Frozen, frozen=True, kw_only=True):
    """One template to lint. `stack_id` is any key that is unique among the jobs of one call."""

    stack_id: str
    template: bytes
    regions: tuple[str, ...]
    """Every region the template is deployed to."""


class Finding(Frozen, frozen=True, kw_only=True):
    """One thing a rule says about one place of a template."""

    stack_id: str
    rule: str
    level: Level
    message: str
    logical_id: str | None
    """The resource, parameter, output, mapping or condition that it is about."""
    path: tuple[str | int, ...]
    line: int | None
    """Line (from 1) in the JSON template."""
    suppressed: bool = False
    reason: str | None = None
    """Why the rule is suppressed here."""
    source: Literal["cfn-lint", "ours"] = "cfn-lint"


def lint(jobs: Sequence[Job], *, cache: Path | None, workers: int, day: str) -> dict[str, tuple[Finding, ...]]:
    """The findings of every job, by `stack_id`, in the order of the jobs; those of one job by line, path and rule.

    `cache` is a directory for verdicts (`lint.verdicts.place`), made if missing; None, or one that cannot be used, costs time and
    nothing else.
    `workers` is the number of processes at most. Equal templates for equal regions are linted once. `day` is today (`verdicts.today`):
    what was said of a function's runtime yesterday may be wrong now.

    Raises ValueError if two jobs have one `stack_id`. A template that cannot be linted is a finding.
    """
    if len({job.stack_id for job in jobs}) != len(jobs):
        raise ValueError("two lint jobs with one stack_id")
    keys = {job.stack_id: _verdict_key(job, day) for job in jobs}
    kept = Verdicts(cache)
    wanted = {keys[job.stack_id]: job for job in jobs}
    verdicts = {key: found for key in wanted if (found := _known(kept, key)) is not None}
    missing = {key: job for key, job in wanted.items() if key not in verdicts}
    if missing:
        for key, findings in zip(missing, _verdicts(list(missing.values()), workers), strict=True):
            verdicts[key] = findings
            # A crash (E0002) is not a fact about the template alone: try again next time.
            if not any(finding.rule == "E0002" for finding in findings):
                kept.store(key, msgspec.json.encode(findings))
        kept.prune()
    return {
        job.stack_id: tuple(msgspec.structs.replace(finding, stack_id=job.stack_id) for finding in verdicts[keys[job.stack_id]])
        for job in jobs
    }


def _known(kept: Verdicts, key: str) -> tuple[Finding, ...] | None:
    try:
        return msgspec.json.decode(kept.load(key) or b"", type=tuple[Finding, ...])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


# --- the key ------------------------------------------------------------------------------------------------------


def _verdict_key(job: Job, day: str) -> str:
    digest = hashlib.sha256(_environment_digest())
    # cfn-lint refuses a runtime from a day of its table on (W2531, E2531, E2533), and looks at no other date.
    dated = day if b"Runtime" in job.template else ""
    digest.update(json.dumps([dated, *sorted(set(job.regions))]).encode())
    digest.update(hashlib.sha256(job.template).digest())
    return digest.hexdigest()


@functools.cache
def _environment_digest() -> bytes:
    """Everything but the job that a verdict depends on."""
    return environment_digest(cfn_lint_version(sys.path), f"{sys.version} {shutil.which('node')}", rule_sources())


def environment_digest(version: str, python: str, sources: Mapping[str, bytes]) -> bytes:
    """A digest of the versions and of the rules' sources by file name."""
    digest = hashlib.sha256(json.dumps([version, python, sorted(sources)]).encode())
    for name in sorted(sources):
        digest.update(hashlib.sha256(sources[name]).digest())
    return digest.digest()


def rule_sources() -> dict[str, bytes]:
    """The files that decide a verdict: our rules, what they read, and this module with its configuration."""
    root = Path(__file__).parent.parent
    single = (
        "assembly/certificate_names.py",
        "assembly/model.py",
        "constraints/table.json",
        "environments/regions.py",
        "guards/documents.py",
        "guards/processes.py",
    )
    whole = ("constraints", "lint/rules", "refusals", "templates")
    files = [Path(__file__), *(root / name for name in single), *(file for room in whole for file in (root / room).glob("*.py"))]
    return {str(file.relative_to(root)): file.read_bytes() for file in files}


def cfn_lint_version(path: Iterable[str]) -> str:
    """The installed version of cfn-lint, by the name of its dist-info directory on `path`; without importing it."""
    for entry in path:
        try:
            names = [name for name in sorted(os.listdir(entry or ".")) if name.startswith("cfn_lint-") and name.endswith(".dist-info")]  # noqa: PTH208 - ten times faster than iterdir on a large site-packages
        except OSError:
            continue
        if names:
            return ", ".join(name.removeprefix("cfn_lint-").removesuffix(".dist-info") for name in names)
    return str(importlib.import_module("importlib.metadata").version("cfn-lint"))


# --- linting ------------------------------------------------------------------------------------------------------


def forks(jobs: int, workers: int, platform: str) -> bool:
    """Whether so many jobs are worth several processes. Elsewhere a fork is missing, or unsafe beside the system's threads (macOS)."""
    return workers > 1 and jobs >= POOL_THRESHOLD and platform == "linux"


def _verdicts(jobs: list[Job], workers: int) -> list[tuple[Finding, ...]]:
    check = _checker()
    if forks(len(jobs), workers, sys.platform):
        futures = importlib.import_module("concurrent.futures.process")
        multiprocessing = importlib.import_module("multiprocessing")
        # Forked children share the loaded rules; the parent has no other thread at this point.
        with (
            contextlib.suppress(OSError, futures.BrokenProcessPool),
            futures.ProcessPoolExecutor(min(workers, len(jobs)), mp_context=multiprocessing.get_context("fork")) as pool,
        ):
            return list(pool.map(_check_in_child, jobs))
    return [check(job) for job in jobs]


def _check_in_child(job: Job) -> tuple[Finding, ...]:
    return _checker()(job)


@functools.cache
def _checker() -> Callable[[Job], tuple[Finding, ...]]:
    """Load cfn-lint and our rules, once a process."""
    # Loading makes a million long-lived objects; collecting among them is a quarter of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        config_module = importlib.import_module("cfnlint.config")
        regions_known = frozenset(importlib.import_module("cfnlint.helpers").REGIONS)
        rules = load_rules()
        gc.freeze()
    finally:
        if collecting:
            gc.enable()

    def check(job: Job) -> tuple[Finding, ...]:
        regions = sorted(set(job.regions))
        unknown = [region for region in regions if region not in regions_known]
        if unknown or not regions:
            what = f"cfn-lint knows no region {', '.join(unknown)}" if unknown else "no region to lint for"
            return (_plain("E9700", what),)
        config = config_module.ConfigMixIn([], config_file=os.devnull, regions=regions, include_checks=["I"])
        return _judge(job.template, regions, rules, config)

    return check


@functools.cache
def load_rules() -> Rules:
    """cfn-lint's own rules and ours, loaded once a process."""
    rules_module = importlib.import_module("cfnlint.rules")
    config = importlib.import_module("cfnlint.config").ConfigMixIn([], config_file=os.devnull)
    rules: Rules = importlib.import_module("cfnlint.runner").Runner(config).rules
    for name in MODULES:
        rules.update(rules_module.Rules.create_from_module(f"lint.rules.{name}"))
    return rules


def _judge(data: bytes, regions: list[str], rules: Rules, config: Any) -> tuple[Finding, ...]:
    template_class = importlib.import_module("cfnlint.template").Template
    try:
        template = documents.loads(data)
    except (ValueError, RecursionError) as error:
        return (_plain("E0000", f"not JSON: {error}"),)
    if not isinstance(template, dict):
        return (_plain("E0000", "a template is a JSON object"),)
    suppressed = suppressions(template)
    try:
        # Not `run_template_by_data`: it drops suppressed findings unseen and takes configuration from the template.
        cfn = template_class(None, template, regions)
        matches: list[Match] = cfn.transform() or list(rules.run(None, cfn, config))
    except Exception as error:  # whatever cfn-lint trips over is a finding about that template
        return (_plain("E0002", f"cfn-lint could not read the template: {type(error).__name__}: {error}"),)
    unique = {(match.rule.id, _path(match), match.message): match for match in matches if match.parent_id is None}
    findings = [_finding(match, suppressed) for match in unique.values()]
    used = {(finding.logical_id, finding.rule) for finding in findings if finding.suppressed}
    findings.extend(_unused(suppressed, used))
    lines = _lines(data) if findings else (lambda _path: None)
    findings = [msgspec.structs.replace(finding, line=lines(finding.path)) for finding in findings]
    return tuple(sorted(findings, key=lambda f: (f.line or 0, [str(part) for part in f.path], f.rule, f.message)))


def _plain(rule: str, message: str) -> Finding:
    return Finding(stack_id="", rule=rule, level="error", message=message, logical_id=None, path=(), line=None, source=_source(rule))


def _source(rule: str) -> Literal["cfn-lint", "ours"]:
    return "ours" if rule[1:].startswith("9") else "cfn-lint"


def _path(match: Match) -> tuple[str | int, ...]:
    return tuple(part if isinstance(part, int) else str(part) for part in getattr(match, "path", None) or ())


def _finding(match: Match, suppressed: Mapping[str, Mapping[str, str | None]]) -> Finding:
    path = _path(match)
    rule: str = match.rule.id
    in_section = len(path) >= 2 and path[0] in _SECTIONS
    hidden = path[:1] == ("Resources",) and in_section and rule in suppressed.get(str(path[1]), {}) and not rule.startswith(_UNSUPPRESSIBLE)
    return Finding(
        stack_id="",
        rule=rule,
        level="informational" if hidden else match.rule.severity,
        message=match.message,
        logical_id=str(path[1]) if in_section else None,
        path=path,
        line=None,
        suppressed=hidden,
        reason=suppressed[str(path[1])][rule] if hidden else None,
        source=_source(rule),
    )


def suppressions(template: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """Suppressed rules by logical id, each with its reason; None where there is none (which E9703 reports)."""
    found: dict[str, dict[str, str | None]] = {}
    resources = template.get("Resources")
    for logical_id, resource in resources.items() if isinstance(resources, dict) else ():
        metadata = _get(resource, "Metadata")
        rules = _get(metadata, "cfn-lint", "config", "ignore_checks")
        reasons = _get(metadata, _SUPPRESSIONS)
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, str):
                reason = _get(reasons, rule)
                found.setdefault(logical_id, {})[rule] = reason if isinstance(reason, str) and reason.strip() else None
    return found


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _unused(suppressed: Mapping[str, Mapping[str, str | None]], used: set[tuple[str | None, str]]) -> list[Finding]:
    return [
        Finding(
            stack_id="",
            rule="I9704",
            level="informational",
            message=f"{rule} is suppressed here but finds nothing here",
            logical_id=logical_id,
            path=("Resources", logical_id, "Metadata", "cfn-lint", "config", "ignore_checks"),
            line=None,
            source="ours",
        )
        for logical_id, rules in suppressed.items()
        for rule in rules
        if (logical_id, rule) not in used
    ]


def _lines(data: bytes) -> Callable[[tuple[str | int, ...]], int | None]:
    """A function from a path to its line, or to that of the nearest place above it."""
    try:
        tree = importlib.import_module("cfnlint.decode.cfn_json").loads(data.decode())
    except Exception:  # its decoder is stricter than JSON (duplicate keys, nulls), and a line is only a comfort
        return lambda _path: None

    def line(path: tuple[str | int, ...]) -> int | None:
        node, found = tree, None
        for part in path:
            if isinstance(node, dict):
                key = next((key for key in node if key == part), None)
                if key is None:
                    break
                found, node = key.start_mark, node[part]
            elif isinstance(node, list) and isinstance(part, int) and part < len(node):
                node = node[part]
                found = getattr(node, "start_mark", None) or found
            else:
                break
        return None if found is None else int(found.line) + 1

    return line
