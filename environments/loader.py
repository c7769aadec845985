"""From YAML files to `Environment` values, with every problem of every file in one list.

In: the directory `environments/` and the names wanted. Out: frozen `Environment` values, or `EnvironmentProblems`.
Never: the process environment, AWS, or anything that depends on where the command is run.

Merge: a key of `<env>.yaml` wins over the same key of `common.yaml`; mappings are merged, everything else is replaced.
YAML: plain YAML 1.1 through PyYAML's safe loader; a key that stands twice is a problem, not a silent last-one-wins.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from environments.model import EDGE_CONTROL_REGION, LAMBDA_EDGE_REGIONS, BucketName, Environment, Organization, Region, Value
from environments.regions import REGIONS
from environments.zones import rivals

COMMON = "common"
ORGANIZATION = "organization"
"""Name of the file that describes the organization instead of an environment."""
Key = tuple[str | int, ...]
V = TypeVar("V", bound=Value)
Note = Callable[[Key, str], object]
"""Takes the key and the text of a problem."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where (file, 1-based line, dotted key), what, and what would be right."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key + ': ' if self.key else ''}{self.message}"


class EnvironmentProblems(Exception):
    """Everything that is wrong with the environment files."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True)
class _Document:
    """One parsed file: its data and the line of every key."""

    file: str
    data: dict[str, Any]
    lines: Mapping[Key, int]


@dataclass
class _Findings:
    """Collects problems of one environment; knows which file and line a key came from."""

    own: _Document
    common: _Document
    problems: list[Problem] = field(default_factory=list)

    def at(self, key: Key, message: str) -> Problem:
        document, line = self._locate(key)
        return Problem(document.file, line, _dotted(key), message)

    def add(self, key: Key, message: str) -> None:
        self.problems.append(self.at(key, message))

    def _locate(self, key: Key) -> tuple[_Document, int]:
        # The nearest parent that stands in a file: a missing key is reported at the mapping that should hold it.
        for length in range(len(key), 0, -1):
            for document in (self.own, self.common):
                if key[:length] in document.lines:
                    return document, document.lines[key[:length]]
        return self.own, 1


@dataclass(frozen=True)
class Platform:
    """Everything that a directory of environment files describes."""

    environments: Mapping[str, Environment]
    organization: Organization | None

    @property
    def zone_rivals(self) -> Mapping[str, tuple[str, ...]]:
        """As `environments.zones.rivals`."""
        return rivals(self.environments.values())

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
    common = _parse(directory / f"{COMMON}.yaml", problems)
    loaded: dict[str, tuple[Environment, _Findings]] = {}
    organization: tuple[Organization, _Findings] | None = None
    for name in known:
        findings = _Findings(_parse(directory / f"{name}.yaml", problems), common)
        if name == ORGANIZATION:
            described = _convert(Organization, name, findings, _check_organization)
            organization = (described, findings) if described else None
        else:
            environment = _convert(Environment, name, findings, _check)
            if environment is not None:
                loaded[name] = (environment, findings)
        problems.extend(findings.problems)
    _check_together(loaded, problems)
    if len(loaded) == len([name for name in known if name != ORGANIZATION]):
        problems.extend(_organization_problems(loaded, organization))
    if problems:
        raise EnvironmentProblems(tuple(sorted(set(problems))))
    return Platform({name: environment for name, (environment, _) in loaded.items()}, organization[0] if organization else None)


# --- files --------------------------------------------------------------------------------------------------------


def _unknown_environment(directory: Path, name: str, known: tuple[str, ...]) -> Problem:
    close = difflib.get_close_matches(name, known, n=1)
    meant = f'did you mean "{close[0]}"? ' if close else ""
    return Problem(str(directory / f"{name}.yaml"), 1, "", f"no such environment; {meant}there are: {', '.join(known) or 'none'}")


def _parse(path: Path, problems: list[Problem]) -> _Document:
    empty = _Document(str(path), {}, {})
    try:
        loader = _Loader(path.read_bytes())
        try:
            node = loader.get_single_node()
            lines: dict[Key, int] = {}
            if node is not None:
                problems.extend(_walk(node, (), lines, str(path)))
            data = loader.construct_document(node) if node is not None else {}
        finally:
            loader.dispose()
    except OSError as error:
        problems.append(Problem(str(path), 1, "", f"cannot be read: {error.strerror}"))
        return empty
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        text = getattr(error, "problem", None) or str(error)
        problems.append(Problem(str(path), mark.line + 1 if mark else 1, "", f"not YAML: {text}"))
        return empty
    if data is None:
        return _Document(str(path), {}, lines)
    if not isinstance(data, dict):
        problems.append(Problem(str(path), 1, "", "the top level must be a mapping of keys to values"))
        return empty
    return _Document(str(path), data, lines)


def _walk(node: Any, key: Key, lines: dict[Key, int], file: str) -> Iterator[Problem]:
    """Notes the line of every key below `node`; yields keys that stand twice, are no text, or hang together in a circle."""
    if len(key) > 20:
        yield Problem(file, node.start_mark.line + 1, _dotted(key), "nested too deeply")
    elif isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
                yield Problem(file, line, _dotted(key), f"keys are text; quote this one: {getattr(key_node, 'value', '...')}")
                continue
            child = (*key, key_node.value)
            if child in lines:
                yield Problem(file, line, _dotted(child), f"stands twice, first in line {lines[child]}; keep one")
            lines[child] = line
            yield from _walk(value_node, child, lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*key, index)] = item.start_mark.line + 1
            yield from _walk(item, (*key, index), lines, file)


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _merge(base[key], value) if key in base else value for key, value in over.items()}}
    return over


def _dotted(key: Key) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


# --- types --------------------------------------------------------------------------------------------------------


def _convert(model: type[V], name: str, findings: _Findings, check: Callable[[V, Note], None]) -> V | None:
    """The typed value; None, with every problem noted, where the data does not fit the model.

    What does not fit is noted and then left out, so that what the values mean is judged in the same run wherever that is possible.
    """
    shared = findings.common.data
    if model is not Environment:  # common.yaml is written for environments
        shared = {key: value for key, value in shared.items() if key in model.__struct_fields__}
    data = _merge(shared, findings.own.data)
    if "name" in data:
        findings.add(("name",), f'not a key: the environment is named by its file, "{name}"')
        data = {key: value for key, value in data.items() if key != "name"}
    data["name"] = name
    try:
        value = msgspec.convert(data, model)
    except msgspec.ValidationError:
        wrong: list[Key] = []

        def note(key: Key, message: str) -> None:
            wrong.append(key)
            findings.add(key, message)

        _explain_struct(model, data, (), note)
        if not wrong:  # a disagreement between this walk and msgspec must not pass as valid
            raise
        try:
            rest = msgspec.convert(_without(data, (), frozenset(wrong)), model)
        except msgspec.ValidationError:
            return None
        check(rest, lambda key, message: None if key in wrong else findings.add(key, message))
        return None
    check(value, findings.add)
    return value


def _without(value: Any, key: Key, wrong: frozenset[Key]) -> Any:
    """The data without what stands under the given keys."""
    if isinstance(value, dict):
        return {name: _without(item, (*key, name), wrong) for name, item in value.items() if (*key, name) not in wrong}
    if isinstance(value, list):
        return [_without(item, (*key, index), wrong) for index, item in enumerate(value) if (*key, index) not in wrong]
    return value


def _explain(expected: Any, value: Any, key: Key, note: Note) -> None:
    """Notes every place below `value` that does not fit the type `expected`."""
    origin = typing.get_origin(expected)
    if origin in {typing.Union, types.UnionType}:
        options = [option for option in typing.get_args(expected) if option is not type(None)]
        if value is None and len(options) < len(typing.get_args(expected)):
            return
        expected, origin = options[0], typing.get_origin(options[0])
    if isinstance(expected, type) and issubclass(expected, Value):
        _explain_struct(expected, value, key, note)
    elif origin is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            _explain(typing.get_args(expected)[0], item, (*key, index), note)
    else:
        try:
            msgspec.convert(value, expected)
        except msgspec.ValidationError as error:
            note(key, _plain(expected, value, error))
            return
        for named, problem in ((Region, region_problem), (BucketName, bucket_name_problem)):
            reason = problem(value) if expected == named else None
            if reason:
                note(key, f'"{value}": {reason}')


def _explain_struct(expected: type[Value], value: Any, key: Key, note: Note) -> None:
    if not isinstance(value, dict):
        note(key, f"is {_shown(value)}; expected a mapping with the keys {', '.join(expected.__struct_fields__)}")
        return
    hints = typing.get_type_hints(expected, include_extras=True)
    known = [name for name in hints if key or name != "name"]
    for name in value:
        if name not in hints:
            close = difflib.get_close_matches(str(name), known, n=1)
            meant = f'did you mean "{close[0]}"?' if close else f"the keys here are: {', '.join(known)}"
            note((*key, name), f"unknown key; {meant}")
    required = {info.name for info in msgspec.structs.fields(expected) if info.required}
    for name, hint in hints.items():
        if name in value:
            if not (key == () and name == "name"):
                _explain(hint, value[name], (*key, name), note)
            elif not _fits(hint, value[name]):
                note((), f'the file name "{value[name]}" is no environment name; {_meaning(hint)}')
        elif name in required:
            note((*key, name), f"missing; {_meaning(hint) or 'give it here or in ' + COMMON + '.yaml'}")


def _fits(expected: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError:
        return False
    return True


def _meta(expected: Any) -> list[msgspec.Meta]:
    return [item for item in getattr(expected, "__metadata__", ()) if isinstance(item, msgspec.Meta)]


def _meaning(expected: Any) -> str:
    options = typing.get_args(expected) if typing.get_origin(expected) in {typing.Union, types.UnionType} else (expected,)
    if typing.get_origin(options[0]) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(options[0])))}"
    return next((meta.description for option in options for meta in _meta(option) if meta.description), "")


_TYPES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a mapping"}


def _plain(expected: Any, value: Any, error: msgspec.ValidationError) -> str:
    """The validation error in the words of somebody who edits YAML."""
    meaning = _meaning(expected)
    text = str(error)
    wrong_type = re.match(r"Expected `([^`]+)`, got `[^`]+`", text)
    if wrong_type:
        wanted = " or ".join(_TYPES.get(part.strip(), part.strip()) for part in wrong_type[1].split("|") if part.strip() != "null")
        quote = f'; quote it: "{value}"' if wrong_type[1].startswith("str") and isinstance(value, int | float) else ""
        return f"is {_shown(value)}; expected {wanted}{quote}{'. ' + meaning if meaning else ''}"
    bound = re.match(r"Expected `\w+` (of length )?([<>]=?) ([\d.]+)", text)
    if bound:
        return f"is {_shown(value)}; expected {'at most' if '<' in bound[2] else 'at least'} {bound[3]}{' characters' if bound[1] else ''}"
    return f"is {_shown(value)}; expected {meaning[0].lower() + meaning[1:] if meaning else text}"


def _shown(value: Any) -> str:
    text = {None: "empty", True: "true", False: "false"}.get(value) if value is None or isinstance(value, bool) else None
    if text is None:
        text = "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else f'"{value}"'
    return text if len(text) <= 80 else text[:76] + '..."'


# --- meaning ------------------------------------------------------------------------------------------------------


def _check(environment: Environment, note: Note) -> None:
    """What types cannot say about one environment."""
    env = environment
    for key, region in (
        (("home_region",), env.home_region),
        *((("disaster_recovery", "region"), dr.region) for dr in [env.disaster_recovery] if dr),
        *((("basic_auth", "log_regions", i), region) for i, region in enumerate(env.basic_auth.log_regions)),
    ):
        reason = region_problem(region)
        if reason:
            note(key, f'"{region}": {reason}')
    _check_edge(env, note)
    _check_names(env, note)
    _check_app(env, note)
    for bucket_key, bucket in (
        (("bucket",), env.bucket),
        (("artifacts", "bucket"), env.artifacts.bucket),
        *((("disaster_recovery", "bucket"), dr.bucket) for dr in [env.disaster_recovery] if dr),
    ):
        reason = bucket_name_problem(bucket)
        if reason:
            note(bucket_key, f'"{bucket}": {reason}')
    if len(env.access_log_bucket) > ACCESS_LOG_BUCKET >= len(env.bucket):
        longest = ACCESS_LOG_BUCKET - len(env.access_log_bucket) + len(env.bucket)
        note(
            ("bucket",),
            f'"{env.bucket}" has {len(env.bucket)} characters; at most {longest}, since "{env.access_log_bucket}" is a bucket too',
        )
    if env.disaster_recovery and env.disaster_recovery.region == env.home_region:
        note(("disaster_recovery", "region"), f'"{env.home_region}" is the home region; choose another one')
    if (env.github.owner_id is None) != (env.github.repository_id is None):
        note(("github",), "owner_id and repository_id go together: give both or neither")
    if len(env.prefix) > 40:
        note((), f'project and environment make the name prefix "{env.prefix}", {len(env.prefix)} long; at most 40 fit into IAM role names')


def _check_edge(env: Environment, note: Note) -> None:
    if env.certificate.region != EDGE_CONTROL_REGION:
        note(
            ("certificate", "region"),
            f'"{env.certificate.region}": CloudFront takes certificates from {EDGE_CONTROL_REGION} only; remove the key',
        )
    if env.basic_auth.region != EDGE_CONTROL_REGION:
        note(
            ("basic_auth", "region"),
            f'"{env.basic_auth.region}": Lambda@Edge functions are published from {EDGE_CONTROL_REGION} only; remove the key',
        )
    for index, region in enumerate(env.basic_auth.log_regions):
        if region in REGIONS and region not in LAMBDA_EDGE_REGIONS:
            note(
                ("basic_auth", "log_regions", index),
                f'"{region}": Lambda@Edge does not run there; the regions are {", ".join(LAMBDA_EDGE_REGIONS)}',
            )
    if len(set(env.basic_auth.log_regions)) < len(env.basic_auth.log_regions):
        note(("basic_auth", "log_regions"), "a region stands twice")
    if env.basic_auth.log_canary_region not in env.basic_auth.log_regions:
        note(("basic_auth", "log_canary_region"), f'"{env.basic_auth.log_canary_region}" is not among log_regions')


def _check_names(env: Environment, note: Note) -> None:
    zone = env.hosted_zone.name
    if not _below(env.domain, zone):
        note(("domain",), f'"{env.domain}" is not in the hosted zone {zone}; expected {zone} or a name that ends in .{zone}')
    elif not any(certificate_covers(name, env.domain) for name in env.certificate_names):
        note(
            ("domain",),
            f'"{env.domain}" is not covered by the certificate ({", ".join(env.certificate_names)}); '
            "a wildcard stands for exactly one label. Add the name to certificate.subject_alternative_names",
        )
    for index, name in enumerate(env.certificate_names):
        key: Key = ("certificate", "domain_name") if index == 0 else ("certificate", "subject_alternative_names", index - 1)
        if not _below(name.removeprefix("*."), zone):
            note(key, f'"{name}" is not in the hosted zone {zone}, so its validation record cannot be written there')
    if len(set(env.certificate_names)) < len(env.certificate_names):
        note(("certificate", "subject_alternative_names"), "a name stands twice in the certificate")
    _check_certificate_size(env, note)
    if env.zone_is_foreign and env.hosted_zone.role_arn is None:
        note(
            ("hosted_zone", "role_arn"),
            f"missing; the zone belongs to account {env.zone_account_id}, so a role to assume there must be named",
        )
    if env.hosted_zone.role_arn is not None and env.hosted_zone.role_arn.split(":")[4] != env.zone_account_id:
        note(("hosted_zone", "role_arn"), f"is a role of another account than the zone's ({env.zone_account_id})")
    if env.failover is not None:
        if env.failover.dns_name.endswith("cloudfront.net") or env.failover.hosted_zone_id == "Z2FDTNDATAQYW2":
            note(
                ("failover", "dns_name"),
                "is CloudFront; Route 53 cannot fail over between two distributions, name a load balancer",
            )
        if re.search(r"(^|\.)s3-website[.-]", env.failover.dns_name):
            # Amazon S3 User Guide, "Website endpoints": no HTTPS there.
            note(
                ("failover", "dns_name"),
                "is an S3 website endpoint, which does not speak HTTPS, while browsers that were here before insist on it (HSTS); "
                "name a load balancer or another endpoint that has a certificate for the domain",
            )
        if env.zone_is_foreign:
            note(
                ("failover",),
                "failover records need a health check in the zone's account; put the zone into this account or leave failover out",
            )


CERTIFICATE_NAMES = 10
"""Names of one certificate. Source: ACM User Guide, quotas (default)."""
FIRST_CERTIFICATE_NAME = 64
"""Characters of the first name. Source: ACM API, RequestCertificate."""
CERTIFICATE_CHARACTERS = 2000
"""Of all names together, so that the policy that names each of them stays below IAM's 6,144 characters."""
ACCESS_LOG_BUCKET = 63
"""Characters of a bucket name (S3 User Guide, bucket naming rules)."""


def _check_certificate_size(env: Environment, note: Note) -> None:
    names, first = env.certificate_names, env.certificate.domain_name
    if len(first) > FIRST_CERTIFICATE_NAME:
        note(
            ("certificate", "domain_name"),
            f"has {len(first)} characters; the first name of a certificate has at most {FIRST_CERTIFICATE_NAME}: "
            "put a shorter one here and this one into subject_alternative_names",
        )
    if len(names) > CERTIFICATE_NAMES:
        note(("certificate", "subject_alternative_names"), f"the certificate has {len(names)} names; ACM takes {CERTIFICATE_NAMES}")
    characters = sum(map(len, names))
    if characters > CERTIFICATE_CHARACTERS:
        note(
            ("certificate", "subject_alternative_names"),
            f"the names have {characters:,} characters together; at most {CERTIFICATE_CHARACTERS:,} fit into a policy. "
            "A wildcard stands for many",
        )


def _check_app(env: Environment, note: Note) -> None:
    if "." not in env.app.index_document.rsplit("/", 1)[-1]:
        note(("app", "index_document"), f'"{env.app.index_document}" is no file; expected for example /index.html')
    if "." in env.app.entry_path.rsplit("/", 1)[-1]:
        note(("app", "entry_path"), f'"{env.app.entry_path}" looks like a file; an entry path has no extension, for example /buy')
    if env.app.health_path in {"/", env.app.entry_path}:
        note(
            ("app", "health_path"),
            f'"{env.app.health_path}" answers without credentials, so it cannot be the app itself; for example /healthz',
        )
    for index, rule in enumerate(env.publishing.cache_rules[:-1]):
        if rule.pattern == "*":
            note(
                ("publishing", "cache_rules", index),
                'the pattern "*" matches everything, so the rules after it are never used; put it last',
            )
    for key in env.tags:
        if key.lower().startswith("aws:") or not 1 <= len(key) <= 128 or len(env.tags[key]) > 256:
            note(("tags", key), "a tag's key has 1 to 128 characters and does not start with aws:, its value has at most 256")


_REMEDY = {"GitHub provider of account": "; an account has only one: write create_provider: false here"}


def _check_together(loaded: Mapping[str, tuple[Environment, _Findings]], problems: list[Problem]) -> None:
    """What only shows between environments."""
    seen: dict[tuple[str, str], str] = {}
    for name, (env, findings) in loaded.items():
        unique: list[tuple[str, str, Key]] = [("domain", env.domain, ("domain",)), ("bucket", env.bucket, ("bucket",))]
        if env.disaster_recovery:
            unique.append(("bucket", env.disaster_recovery.bucket, ("disaster_recovery", "bucket")))
        unique.append(("bucket", env.artifacts.bucket, ("artifacts", "bucket")))
        unique.append(("bucket", env.access_log_bucket, ("bucket",)))
        unique.append(("lock table", f"{env.account_id} {env.artifacts.lock_table}", ("artifacts", "lock_table")))
        if env.github.create_provider:
            unique.append(("GitHub provider of account", env.account_id, ("github", "create_provider")))
        for kind, value, key in unique:
            first = seen.setdefault((kind, value), name)
            if first != name:
                problems.append(findings.at(key, f'{kind} "{value}" is made by environment {first} already{_REMEDY.get(kind, "")}'))


def _check_organization(organization: Organization, note: Note) -> None:
    """What types cannot say about the organization."""
    reason = region_problem(organization.region)
    if reason:
        note(("region",), f'"{organization.region}": {reason}')
    reason = bucket_name_problem(organization.artifacts.bucket)
    if reason:
        note(("artifacts", "bucket"), f'"{organization.artifacts.bucket}": {reason}')
    for index, name in enumerate(organization.environments):
        if organization.permission_model == "SERVICE_MANAGED" and name not in organization.organizational_units:
            note(("environments", index), f'"{name}" has no unit; SERVICE_MANAGED needs organizational_units.{name}')
    if organization.permission_model == "SELF_MANAGED" and organization.organizational_units:
        note(("organizational_units",), "units are for permission_model SERVICE_MANAGED; SELF_MANAGED goes by account")
    if organization.delegated_administrator and organization.permission_model == "SELF_MANAGED":
        note(("delegated_administrator",), "a delegated administrator is for permission_model SERVICE_MANAGED")


def _organization_problems(
    loaded: Mapping[str, tuple[Environment, _Findings]], organization: tuple[Organization, _Findings] | None
) -> Iterator[Problem]:
    """What only shows between the organization and its environments."""
    members = organization[0].environments if organization else ()
    for name, (env, findings) in loaded.items():
        if env.foundation == "organization" and name not in members:
            yield findings.at(("foundation",), f'"organization", but {name} is not among the environments of {ORGANIZATION}.yaml')
    if organization is None:
        return
    described, findings = organization
    for index, name in enumerate(members):
        key: Key = ("environments", index)
        if name not in loaded:
            yield findings.at(key, f'"{name}" is no environment; there are: {", ".join(loaded)}')
        elif described.permission_model == "SERVICE_MANAGED" and loaded[name][0].account_id == described.account_id:
            # Source: CloudFormation User Guide, service-managed permissions
            yield findings.at(key, f'"{name}" lives in the management account, where service-managed StackSets do not deploy')


def _below(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def certificate_covers(certificate_name: str, domain: str) -> bool:
    """Whether a certificate name covers a domain; a wildcard stands for exactly one left-most label (RFC 6125, 6.4.3)."""
    if certificate_name.startswith("*."):
        return domain.partition(".")[2] == certificate_name[2:]
    return certificate_name == domain


def region_problem(region: str) -> str | None:
    """Why a region cannot be one, or None."""
    if region in REGIONS:
        return None
    close = difflib.get_close_matches(region, sorted(REGIONS), n=1)
    return f"not an AWS region{f'; did you mean {close[0]}?' if close else ''}"


def bucket_name_problem(name: str) -> str | None:
    """Why S3 would refuse a general purpose bucket name, or None. Source: S3 User Guide, bucket naming rules.

    Stricter in one point: no dots, since they break the TLS host name of the bucket.
    """
    if not 3 <= len(name) <= 63:
        return f"a bucket name has 3 to 63 characters, this one {len(name)}"
    wrong = sorted(set(re.findall(r"[^a-z0-9-]", name)))
    if wrong:
        return f"a bucket name has only a-z, 0-9 and hyphens; not {' '.join(wrong)}"
    if name.startswith("-") or name.endswith("-"):
        return "a bucket name begins and ends with a letter or digit"
    for prefix in ("xn--", "sthree-", "amzn-s3-demo-"):
        if name.startswith(prefix):
            return f'S3 reserves the prefix "{prefix}"'
    for suffix in ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an"):
        if name.endswith(suffix):
            return f'S3 reserves the suffix "{suffix}"'
    return None
