"""Store the Basic Auth password of an environment, as a hash.

In: a password from the terminal (not shown), from standard input, or made here. Out: a new version of the secret in Secrets Manager.
Never: shows, logs or stores the password (--generate prints it once, on stdout), or changes what is deployed.

Exit status: 0 stored, 1 failed, 2 usage or a password that cannot be used.
"""

from __future__ import annotations

import argparse
import getpass
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from assembly import commands
from guards import masks
from session.context import OK, USAGE, CommandError, Context
from session.local_password import keep, make
from session.opened import add_common_arguments, open_environment, read_assembly

if TYPE_CHECKING:
    from assembly.model import Assembly
    from aws.secrets import Secrets

EXAMPLES = """\
  python deploy.py set-password --env dev --generate    makes a password, which the edge checks fastest, and prints it once
  python deploy.py set-password --env dev               asks twice, without showing what is typed
  pass show dev/buy | python deploy.py set-password --env dev --stdin
"""
DATA = ("docs.verb_answers:Stored",)

SLOW = """\
note: a password that somebody chose is checked as slowly as its guessers have to be: about 0.7 s in every execution environment that
  the edge starts, and an account of few concurrent executions answers 503 meanwhile; one made by --generate is checked at once"""

Prompt = Callable[[str], str]
"""Asks without echo."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stdin", action="store_true", help="read the password from the first line of standard input")
    where.add_argument("--generate", action="store_true", help="make a password and print it once, on stdout")
    parser.add_argument("--json", action="store_true", help="print JSON; with --generate the password is in it")


def run(args: argparse.Namespace, context: Context) -> int:
    """Get the password, hash it, store it, say what comes next."""
    from aws.secrets import Secrets

    assembly, _ = read_assembly(args)
    if assembly.basic_auth_secret is None:
        raise CommandError(
            f"{args.env} has no Basic Auth (basic_auth.enabled in environments/{args.env}.yaml), so there is no password to set",
            status=USAGE,
        )
    password, hashed = make(context) if args.generate else _chosen(args, context)
    opened = open_environment(args, context)
    wanted = assembly.basic_auth_secret
    store = Secrets.connect(opened.aws, account_id=assembly.account_id, region=wanted.region)
    version = store_hash(store, assembly, hashed, token=context.token_hex(16))
    if not store.comes_to_be(wanted.secret, version, lambda: context.sleep(0.5)):
        context.say(f"warning: Secrets Manager does not show version {version} yet; wait a minute before you plan")
    if args.local:
        keep(context, assembly, password)
    context.say(f"stored a hash for the user {wanted.username} in {wanted.secret} ({wanted.region}), version {version}")
    shown = password if args.generate else None
    context.data({"secret": wanted.secret, "version": version, "username": wanted.username, "password": shown})
    if args.generate:
        context.say("warning: the password follows on stdout, this once; only its hash is kept")
        if not args.json:
            context.result(password)
    else:
        context.say(SLOW)
    context.say("apply publishes a function version that knows the new hash")
    context.say_next(commands.deploy("apply", args.env))
    return OK


def store_hash(store: Secrets, assembly: Assembly, hashed: str, *, token: str) -> str:
    """A new current version of the environment's secret, which is made if there is none; the VersionId. Raises `aws.errors.AwsError`."""
    from aws.errors import BadRequest, Conflict, NotFound

    wanted = assembly.basic_auth_secret
    assert wanted is not None, "the caller has looked"
    values = {"username": wanted.username, "password_hash": hashed}
    try:
        return store.put(wanted.secret, values, token=token)
    except NotFound:
        pass
    except BadRequest as error:
        if "delet" not in error.message:
            raise
        # It is scheduled for deletion (Secrets Manager API, PutSecretValue: InvalidRequestException).
        store.restore(wanted.secret)
        return store.put(wanted.secret, values, token=token)
    try:
        return store.create(
            wanted.secret,
            values,
            description=f"Basic Auth of {assembly.site.domain}: user name and password hash",
            tags=assembly.stacks[0].tags if assembly.stacks else {},
        )
    except Conflict:
        return store.put(wanted.secret, values, token=token)


def _chosen(args: argparse.Namespace, context: Context) -> tuple[str, str]:
    password = _given(args, context, _no_echo(context))
    return password, _hashed(password, context)


def _given(args: argparse.Namespace, context: Context, prompt: Prompt) -> str:
    if args.stdin:
        line = context.stdin.readline()
        if not line:
            raise CommandError("standard input is empty; the password is its first line", status=USAGE)
        password = line.rstrip("\r\n")
        masks.hide(password)
        return password
    if not context.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the password; --stdin reads one, --generate makes one",
            command=commands.deploy("set-password", args.env, "--generate"),
            status=USAGE,
        )
    return twice(prompt)


def twice(prompt: Prompt) -> str:
    """The password, typed the same way twice. Raises `CommandError`."""
    first = prompt("New password: ")
    if first != prompt("The same again: "):
        raise CommandError("the two are not the same; nothing was stored", status=USAGE)
    masks.hide(first)
    return first


def _no_echo(context: Context) -> Prompt:
    def prompt(question: str) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(question, stream=context.stderr)
            except (getpass.GetPassWarning, EOFError) as error:
                raise CommandError("the terminal cannot be asked without showing what is typed; use --stdin", status=USAGE) from error

    return prompt


def _hashed(password: str, context: Context) -> str:
    from operations.credential import SALT_OCTETS, CredentialError, hash_password

    try:
        return hash_password(password, bytes.fromhex(context.token_hex(SALT_OCTETS)))
    except CredentialError as error:
        raise CommandError(str(error), status=USAGE) from None
