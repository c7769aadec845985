"""Show who holds the deployment lock, or remove it by its id.

In: an environment. Out: the holder on stdout; with --lock-id the lock is gone.
Never: removes a lock whose id was not given: two deployments at once are worse than a wait of three minutes, after which a dead
one is free.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from assembly import commands
from guards.text import as_lines
from session.context import FAILED, OK, CommandError, Context
from session.opened import add_common_arguments, open_environment
from session.promoting import lock_meant
from session.target import add_target_argument

if TYPE_CHECKING:
    from rollout.lock import Holder

EXAMPLES = """\
  python deploy.py unlock --env dev                                              who holds it, since when
  python deploy.py unlock --env dev --lock-id 5be1f0a2c3d4e5f60718293a4b5c6d7e   remove it
"""
DATA = ("docs.verb_answers:Lock",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    parser.add_argument("--lock-id", metavar="ID", help="id of the lock to remove, as the holder's message says")
    add_target_argument(parser)
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Show or remove."""
    from aws.errors import NotFound
    from rollout import lock

    opened = open_environment(args, context, looks=not args.lock_id)
    assembly = opened.assembly
    table, table_name = lock_meant(opened, args)
    name = lock.lock_name(assembly.project, assembly.environment)
    try:
        holder = lock.read(table, table_name, name)
        if holder is None:
            context.answers(_data(name), f"the lock {name} is free", machine=args.json)
            return OK
        if args.lock_id is None:
            to_remove = told_of(holder, _command(args, holder, table_name, name), context.now().timestamp())
            told = as_lines((f"the lock {name} is held by {holder.describe()}", *(f"  {line}" for line in commands.told(to_remove))))
            context.answers(_data(name, holder), told, machine=args.json)
            return OK
        other = lock.remove(table, table_name, name, args.lock_id)
    except NotFound as error:
        raise CommandError(f"there is no lock table {table_name} yet, so nobody holds a lock ({error})") from None
    if other is not None:
        raise CommandError(
            f"the lock {name} has another id: it is held by {other.describe()}",
            command=_command(args, other, table_name, name),
            status=FAILED,
        )
    context.answers(_data(name, removed=args.lock_id), f"the lock {name} is removed", machine=args.json)
    return OK


def _data(name: str, holder: Holder | None = None, *, removed: str | None = None) -> dict[str, Any]:
    return {"lock": name, "holder": holder, "removed": removed}


def told_of(holder: Holder, command: str, now: float) -> str:
    """What to do about a lock: the command that removes it only where nobody renews it any more, else in prose."""
    if holder.whole and holder.expires > now:
        return f"it ends by itself unless it is renewed; only if that process is surely gone: {command}"
    return command


def _command(args: argparse.Namespace, holder: Holder, table: str, name: str) -> str:
    if not holder.whole:
        from rollout.lock import delete_command

        return delete_command(table, name)
    return commands.deploy("unlock", args.env, "--lock-id", holder.id)
