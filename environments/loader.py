"""From YAML files to `Environment` values, with every problem of every file in one list.

In: the directory `environments/` and the names wanted. Out: frozen `Environment` values, or `EnvironmentProblems`.
Never: the process environment, AWS, or anything that depends on where the command is run.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from environments.across import ORGANIZATION, check_organization, clashes, organization_problems, standby_problems
from environments.checks import check
from environments.conversion import COMMON, Findings, convert
from environments.model import Environment, Organization
from environments.problems import EnvironmentProblems, Problem
from environments.reading import parse
from environments.zones import rivals


@dataclass(frozen=True)
class Platform:
    """Everything that a directory of environment files describes."""

    environments: Mapping[str, Environment]
    organization: Organization | None

    @property
    def zone_rivals(self) -> Mapping[str, tuple[str, ...]]:
        """As `environments.zones.rivals`."""
        return rivals(self.environments.values())

    def files_of(self, name: str) -> tuple[str, ...]:
        """Names of the environment files, beside the common one, that decide what is built for `name`."""
        members = self.organization.environments if name == ORGANIZATION and self.organization is not None else ()
        return (name, *members)

    def __getitem__(self, name: str) -> Environment | Organization:
        """The environment or the organization of that name."""
        if name == ORGANIZATION and self.organization is not None:
            return self.organization
        return self.environments[name]


def names(directory: Path) -> tuple[str, ...]:
    """Names of everything that can be built from the directory, in alphabetical order."""
    return tuple(sorted(path.stem for path in directory.glob("*.yaml") if path.stem != COMMON))


def load(directory: Path, wanted: tuple[str, ...]) -> Platform:
    """Everything in the directory, so that clashes (one domain or bucket used twice) are seen whatever is wanted.

    Raises EnvironmentProblems, also for a wanted name that has no file.
    """
    known = names(directory)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise EnvironmentProblems(tuple(_unknown_environment(directory, name, known) for name in unknown))
    problems: list[Problem] = []
    common = parse(directory / f"{COMMON}.yaml", problems)
    loaded: dict[str, tuple[Environment, Findings]] = {}
    organization: tuple[Organization, Findings] | None = None
    unreadable: set[str] = set()
    for name in known:
        own = parse(directory / f"{name}.yaml", problems)
        if own is None or common is None:  # all that would be missing is this one problem
            unreadable.add(name)
            continue
        findings = Findings(own, common)
        if name == ORGANIZATION:
            described = convert(Organization, name, findings, check_organization)
            organization = (described, findings) if described else None
        else:
            environment = convert(Environment, name, findings, check)
            if environment is not None:
                loaded[name] = (environment, findings)
        problems.extend(findings.problems)
    problems.extend(clashes(loaded, organization))
    problems.extend(standby_problems(loaded))
    if ORGANIZATION not in unreadable and len(loaded) == len([name for name in known if name != ORGANIZATION]):
        problems.extend(organization_problems(loaded, organization))
    if problems:
        raise EnvironmentProblems(tuple(sorted(set(problems))))
    return Platform({name: environment for name, (environment, _) in loaded.items()}, organization[0] if organization else None)


def _unknown_environment(directory: Path, name: str, known: tuple[str, ...]) -> Problem:
    close = difflib.get_close_matches(name, known, n=1)
    meant = f'did you mean "{close[0]}"? ' if close else ""
    if (directory / f"{name}.yml").exists():
        meant = f"{name}.yml is not read, name it {name}.yaml; "
    return Problem(str(directory / f"{name}.yaml"), 1, "", f"no such environment; {meant}there are: {', '.join(known) or 'none'}")
