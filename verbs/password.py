"""Show the Basic Auth password of the local AWS again.

In: an environment with --local. Out: the user name on stderr, the password on stdout.
Never: knows a password of AWS itself: of those only hashes are kept.

Exit status: 0 shown, 1 not known, 2 usage.
"""

from __future__ import annotations

import argparse

from assembly import commands
from session.context import OK, USAGE, CommandError, Context
from session.opened import add_common_arguments, open_environment, read_assembly

EXAMPLES = """\
  python deploy.py password --env dev --local
"""
DATA = ("docs.verb_answers:Password",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The common ones."""
    add_common_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Look it up, show it."""
    from session.local_password import known

    read_assembly(args)
    if not args.local:
        raise CommandError(
            "of a password at AWS only a hash is kept: whoever set it knows it; a new one takes its place",
            command=commands.deploy("set-password", args.env, "--generate"),
            status=USAGE,
        )
    opened = open_environment(args, context)
    wanted = opened.assembly.basic_auth_secret
    if wanted is None:
        raise CommandError(f"{args.env} has no Basic Auth (basic_auth.enabled)", status=USAGE)
    password, _ = known(context, opened.aws, opened.assembly)
    if not password:
        raise CommandError(
            "this password was not set from here; a new one takes its place",
            command=commands.deploy("set-password", args.env, "--generate"),
        )
    context.data({"username": wanted.username, "password": password})
    if not args.json:
        context.say(f"user {wanted.username}, password:")
        context.result(password)
    return OK
