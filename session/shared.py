"""What several verbs share: the history of an opened environment, JSON, and asking a person.

In: an `Opened` environment, a value, a `Context`. Out: records, text, an answer.
Never: takes silence, or anything but the expected word, for a yes.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from assembly import commands
from session.context import CommandError, Context
from session.target import refuse_unless_home

if TYPE_CHECKING:
    from aws.s3 import S3
    from removal.belongings import Dropped
    from rollout.history import History
    from rollout.lock import Lock
    from session.opened import Opened

EMULATOR_POLL_SECONDS = 0.5


def artifacts(opened: Opened) -> S3:
    """Where the artifact bucket is."""
    from aws.s3 import S3

    return S3.connect(opened.aws, account_id=opened.assembly.account_id, region=opened.assembly.home_region)


def past_of(opened: Opened, *, limit: int) -> History:
    """The latest applies, newest first; none before the first. Raises `aws.errors.AwsError`."""
    from rollout.history import read

    return read(artifacts(opened), opened.assembly.artifact_bucket, opened.assembly.environment, limit=limit)


def no_more_wanted(opened: Opened) -> Dropped:
    """The stacks of the environment that its assembly does not have."""
    from rollout import orphaned_stacks

    return orphaned_stacks.no_more_wanted(lambda: artifacts(opened), opened.assembly, opened.templates, opened.gateways)


def damage(past: History, bucket: str) -> tuple[str, ...]:
    """A line for each record that cannot be read, and one with what to type."""
    if not past.damaged:
        return ()
    lines = (f"s3://{bucket}/{found.key} cannot be read: {found.reason}" for found in past.damaged)
    return (*lines, f"its versions (the bucket is versioned): {versions_command(past, bucket)}")


def versions_command(past: History, bucket: str) -> str:
    """What shows the versions of the newest record that cannot be read."""
    return f"aws s3api list-object-versions --bucket {bucket} --prefix {shlex.quote(past.damaged[0].key)}"


def poll_seconds(opened: Opened, default: float | None = None) -> float:
    """A local AWS is done at once, another emulator here soon; but what looks like one may be a tunnel to AWS, which limits calls."""
    from aws.cloudformation.connection import POLL_SECONDS
    from session.opened import LOCAL_POLL_SECONDS

    default = default or POLL_SECONDS
    if opened.aws.is_local:
        return LOCAL_POLL_SECONDS
    return min(default, EMULATOR_POLL_SECONDS) if opened.aws.is_emulated_here else default


def progress(context: Context) -> Callable[[str, str], None]:
    """A line on stderr for each thing that happens, none twice in a row; from any thread."""
    lock = threading.Lock()
    last: dict[str, str] = {}

    def say(what: str, happens: str) -> None:
        with lock:
            if last.get(what) != happens and not context.quiet:
                last[what] = happens
                context.say(f"{what}: {happens}")

    return say


def asked(context: Context, question: str) -> str:
    """What a person types, without blanks around it; empty at the end of input."""
    context.stderr.write(question)
    context.stderr.flush()
    return context.stdin.readline().strip()


def take_lock(opened: Opened, context: Context, verb: str, args: argparse.Namespace | None = None, *, moving: bool = False) -> Lock:
    """The environment's lock, held; not yet renewed. `args` may say that the standby region need not be asked.

    `moving`: also while releases do not go home. Raises `CommandError` where they do not, `LockHeld`, `NotFound` where there is no table.
    """
    from aws.dynamodb import Items
    from guards.caller import this_process
    from rollout.lock import acquire, lock_name

    assembly = opened.assembly

    def refuse() -> None:
        if not moving:
            refuse_unless_home(opened, args or argparse.Namespace(env=assembly.environment), f"{verb} changes nothing")

    refuse()
    lock = acquire(
        Items.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region),
        assembly.lock_table,
        lock_name(assembly.project, assembly.environment),
        environment=assembly.environment,
        verb=verb,
        lock_id=context.token_hex(16),
        me=this_process(opened.caller),
        now=lambda: context.now().timestamp(),
    )
    try:
        # Whoever promotes in order holds this lock meanwhile, and may have ended since the first look.
        refuse()
    except BaseException:
        lock.release()
        raise
    return lock


@contextlib.contextmanager
def held_or_told(lock: Lock, look: str) -> Iterator[None]:
    """Renew a lock while the block runs. Raises `CommandError` once it is lost; `look` is the command that tells how things stand."""
    from rollout.lock import LockLost, held

    try:
        with held(lock):
            yield
    except LockLost as error:
        raise CommandError(f"{error}; nothing further was changed", command=look) from error


@contextlib.contextmanager
def locked(
    opened: Opened, context: Context, verb: str, *, moving: bool = False, args: argparse.Namespace | None = None
) -> Iterator[Callable[[], None]]:
    """Hold the environment's lock while the block runs; what is yielded asks whether it is still ours. Raises `CommandError` if it is not.

    Where the table is not there (not yet, or not any more) nobody else can deploy, and nothing is held. `moving`, `args`: as `take_lock`.
    """
    from aws.errors import NotFound
    from rollout.lock import LockHeld

    try:
        lock = take_lock(opened, context, verb, args, moving=moving)
    except NotFound:
        yield lambda: None
        return
    except LockHeld as error:
        raise CommandError(str(error), command=error.hint) from error
    with held_or_told(lock, commands.deploy("status", opened.assembly.environment)):
        yield lock.check
