"""What every verb begins with: the assembly, and AWS or the local stand-in for it.

In: parsed arguments and the `Context`. Out: the assembly with its templates; the gateways.
Never: goes to AWS with a placeholder left in the assembly, or to the local AWS with anything real.
"""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from assembly import commands
from guards import documents
from guards.slips import closest, did_you_mean
from review.next_command import instead
from session.calls import settings
from session.context import ROOT, USAGE, CommandError, Context
from session.freshness import refresh
from session.waiting import telling

if TYPE_CHECKING:
    from assembly.model import Assembly
    from aws.session import Aws
    from gateways.by_place import Gateways
    from promotion.target import Target

LOCAL_POLL_SECONDS = 0.05
_EQUAL_DIGITS = re.compile(r"(\d)\1{11}")


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """--env, --dist, --profile, --local: the same for every verb."""
    parser.add_argument("--env", required=True, metavar="ENV", help="environment, as built into dist/ENV")
    parser.add_argument(
        "--dist", type=Path, default=default_dist(), metavar="DIR", help="where build.py wrote (default: dist of the checkout)"
    )
    parser.add_argument("--profile", metavar="NAME", help="profile of the AWS configuration (default: the ambient credentials)")
    parser.add_argument("--local", action="store_true", help="use a local AWS, started if need be, that keeps its state in .local-aws/")


def default_dist() -> Path:
    """The checkout's dist/, from wherever this is run; relative where it lies below."""
    try:
        return (ROOT / "dist").relative_to(Path.cwd())
    except (ValueError, OSError):
        return ROOT / "dist"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An environment, ready to work on."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    """By stack id."""
    gateways: Gateways
    caller: str
    """ARN of whoever acts."""
    home: Assembly | None = None
    """The assembly as it was built, where `assembly` is aimed at the standby region (`session.target`)."""
    standby: Target | None = None
    """The replica takes releases."""
    unasked: bool = False
    """Somebody decided to go on although the standby region is silent."""

    @property
    def aws(self) -> Aws:
        """The session behind the gateways."""
        return self.gateways.aws

    def resources(self, stack_id: str) -> dict[str, Any]:
        """The resources of a stack's template, as built."""
        return resources_of(self.templates, stack_id)


def warn_of_overrides(context: Context, overrides: Iterable[str]) -> None:
    """Whoever reads on has to know that it is not AWS that answers."""
    for override in overrides:
        context.say(f"warning: this is not AWS itself: {override}")


def resources_of(templates: Mapping[str, bytes], stack_id: str) -> dict[str, Any]:
    """The same, of templates alone."""
    found: dict[str, Any] = documents.loads(templates[stack_id])["Resources"]
    return found


def read_assembly(args: argparse.Namespace) -> tuple[Assembly, dict[str, bytes]]:
    """The assembly in dist/ENV. Raises `AssemblyError`, and `CommandError` if it is that of another environment."""
    from assembly import files

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", args.env):
        raise CommandError(f"{args.env!r} is not the name of an environment", status=USAGE)
    if not (args.dist / args.env / files.MANIFEST).exists():
        _refuse_not_built(args)
    assembly, templates = files.read(args.dist / args.env)
    if assembly.environment != args.env:
        raise CommandError(
            f"{args.dist / args.env} holds the assembly of {assembly.environment}",
            command=commands.build(args.env),
            status=USAGE,
        )
    return assembly, templates


def environments_known(dist: Path) -> tuple[list[str], set[str]]:
    """Names of the environments that are built, and of those that have a file."""
    from assembly import files

    built = sorted(found.parent.name for found in dist.glob(f"*/{files.MANIFEST}"))
    return built, {file.stem for file in (ROOT / "environments").glob("*.yaml")} - {"common"}


def _refuse_not_built(args: argparse.Namespace) -> NoReturn:
    """Raise `CommandError`: what is built, and what was probably meant."""
    built, there = environments_known(args.dist)
    what = f"{args.dist / args.env}: nothing is built by that name"
    if args.env in there or not (built or there):
        raise CommandError(what, command=commands.build(args.env), status=USAGE)
    meant = closest(args.env, (*there, *built))
    raise CommandError(
        f"{what}{did_you_mean(args.env, (*there, *built))}",
        f"built are: {', '.join(built) or 'none'}; environments/ has {', '.join(sorted(there)) or 'none'}",
        # Where everything is built, building once more leads back here.
        command=instead(args, args.env, meant) if meant else commands.build("all") if there - {*built} else f"{commands.BUILD} --help",
        status=USAGE,
    )


def open_environment(
    args: argparse.Namespace,
    context: Context,
    *,
    soon: tuple[str, ...] = (),
    refuse: bool = True,
    looks: bool = False,
    diagnoses: bool = False,
) -> Opened:
    """Read the assembly and reach AWS. Nothing is asked of AWS beyond who we are; a placeholder is refused before that.

    `soon`: services of the home region that are asked next. `refuse`: ask IAM whether the caller may do what the verb will do, as
    `refuse_denied` does for a verb that may find nothing to do. `looks`: the verb only looks, or goes on without AWS, so that a region that
    is lost costs seconds and nothing is lost by asking again. `diagnoses`: stop neither at placeholders nor at bad credentials, and ask
    AWS nothing: the verb reports them.
    """
    refresh(args, context)
    assembly, templates = read_assembly(args)
    from gateways.by_place import Gateways

    if args.local:
        aws = _local(context, assembly, looks=looks)
        return Opened(
            assembly=assembly,
            templates=templates,
            gateways=_waiting(Gateways(aws, sleep=context.sleep, poll_seconds=LOCAL_POLL_SECONDS), context, assembly, templates),
            caller=f"arn:aws:iam::{assembly.account_id}:root",
        )
    if not diagnoses:
        refuse_placeholders(assembly)
    from aws.session import Aws

    aws = Aws(
        profile=args.profile,
        role_name=assembly.deploy_role_name or None,
        doctor_command=commands.deploy("doctor", assembly.environment),
        environment=assembly.environment,
        home_region=assembly.home_region,
        soon=tuple((service, assembly.home_region) for service in soon),
        settings=settings(context),
    )
    if looks:
        aws = aws.impatient()
    gateways = _waiting(Gateways(aws, sleep=context.sleep), context, assembly, templates)
    if diagnoses:
        return Opened(assembly=assembly, templates=templates, gateways=gateways, caller="")
    with telling(context, "the credentials, and AWS to say whose they are (sts:GetCallerIdentity)"):
        caller = aws.identity().arn
    warn_of_overrides(context, aws.overrides())
    opened = Opened(assembly=assembly, templates=templates, gateways=gateways, caller=caller)
    if refuse:
        refuse_denied(args, opened)
    return opened


def refuse_denied(args: argparse.Namespace, opened: Opened) -> None:
    """Raise `CommandError` where IAM already says that the caller may not do what the verb will do. The local AWS is not asked."""
    if args.local:
        return
    from operations.preflight import account_of, missing
    from planning.authority import acts_as_deploy_role
    from review.next_command import again

    assembly = opened.assembly
    account = account_of(assembly, opened.templates, vars(args))
    # A lost us-east-1 costs seconds here: what IAM does not say is no reason to stop.
    problems = missing(args.verb, account, opened.caller, lambda: opened.gateways.impatient().iam(assembly.account_id))
    if not problems:
        return
    whose = "of an administrator: the deploy role is not given these" if acts_as_deploy_role(assembly, opened.caller) else "that may"
    raise CommandError(
        *problems,
        f"{args.verb} has not begun; it takes credentials of account {assembly.account_id} {whose}",
        command=again(args),
        status=USAGE,
    )


def _waiting(gateways: Gateways, context: Context, assembly: Assembly, templates: Mapping[str, bytes]) -> Gateways:
    """The same gateways, which wait for what this deployment has just made where AWS does not know it everywhere yet."""
    from rollout.recent import Recent

    wait = gateways.aws.propagation
    wait.sleep, wait.now, wait.tell = context.sleep, context.monotonic, context.say
    gateways.aws.breaker.tell = lambda text: None if context.quiet else context.say(text)
    wait.age = Recent(assembly.stacks, gateways, context.now, templates=templates).age
    return gateways


def refuse_placeholders(assembly: Assembly) -> None:
    """Raise `CommandError` that lists every value of the environment files that nobody has filled in yet."""
    problems = [f"{p.file}: {p.key} is still the placeholder {p.value!r}: {p.meaning}" for p in assembly.placeholders]
    told = {p.value for p in assembly.placeholders}
    zone = assembly.hosted_zone
    accounts = {
        assembly.account_id: "account_id",
        **{stack.account_id: f"account of stack {stack.id}" for stack in assembly.stacks if stack.account_id != assembly.account_id},
        **({zone.account_id: "hosted_zone.account_id"} if zone and zone.account_id != assembly.account_id else {}),
    }
    problems += [
        f"environments/{assembly.environment}.yaml: {key} is still the placeholder {account!r}: twelve equal digits are nobody's account"
        for account, key in accounts.items()
        if _EQUAL_DIGITS.fullmatch(account) and account not in told
    ]
    if problems:
        raise CommandError(
            *problems,
            command=f"fill them in, and build again:\n{commands.build(assembly.environment)}\n"
            f"or without any account:\n{commands.deploy('plan', assembly.environment, '--local')}",
            status=USAGE,
        )


def _local(context: Context, assembly: Assembly, *, looks: bool) -> Aws:
    """The local AWS, with what AWS itself would already have: the hosted zone, and a credential for Basic Auth to try out."""
    from aws.errors import NetworkError, Unavailable
    from aws.session import Aws
    from local_aws.server import LocalAws

    server = LocalAws.start(context.root / ".local-aws")
    aws = Aws(
        endpoint_url=server.endpoint_url,
        static_credentials=server.credentials,
        environment=assembly.environment,
        home_region=assembly.home_region,
        settings=settings(context),
    )
    with telling(context, "the local AWS"):
        for prepared in (_local_zone, _local_execution_roles, _local_credential):
            with contextlib.suppress(NetworkError, Unavailable):  # out of order by `local fail`; an earlier run has made it
                prepared(aws.impatient(attempts=1) if looks else aws, context, assembly)
    return aws.impatient() if looks else aws


def _local_zone(aws: Aws, _: Context, assembly: Assembly) -> None:
    from local_aws import prepare

    if assembly.hosted_zone is not None:
        prepare.hosted_zone(aws, name=assembly.hosted_zone.name, account_id=assembly.hosted_zone.account_id)


def _local_execution_roles(aws: Aws, _: Context, assembly: Assembly) -> None:
    from local_aws import prepare

    if assembly.contract is not None:
        return
    for stack in assembly.stacks:
        to = stack.stackset
        if to is not None and to.execution_role_name and to.administration_role_name:
            for account_id in to.targets.accounts:
                prepare.execution_role(
                    aws,
                    name=to.execution_role_name,
                    account_id=account_id,
                    administration_account_id=stack.account_id,
                    administration_role_name=to.administration_role_name,
                )


def _local_credential(aws: Aws, context: Context, assembly: Assembly) -> None:
    from aws.errors import Conflict, NotFound
    from aws.secrets import Secrets
    from session.local_password import keep, make

    wanted = assembly.basic_auth_secret
    if wanted is None:
        return
    secrets = Secrets.connect(aws, account_id=assembly.account_id, region=wanted.region)
    try:
        secrets.current_version(wanted.secret)
    except NotFound:
        password, hashed = make(context)
        values = {"username": wanted.username, "password_hash": hashed}
        try:
            secrets.create(wanted.secret, values, description="Basic Auth of the local AWS", tags={})
        except Conflict:
            return  # `destroy --delete-data` has marked it for deletion; set-password takes it back.
        keep(context, assembly, password)
        context.say(f"local AWS: made the secret {wanted.secret}; user {wanted.username}, password {password}")
