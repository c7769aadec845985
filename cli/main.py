"""The command line of `deploy.py`: finds the verb, runs it, turns our errors into words and an exit status.

In: arguments, and a `Context` that holds everything of the outside world. Out: an exit status.
Never: imports a verb that is not run, or lets a traceback through for anything a user, AWS or the network can cause.

Exit status: 0 done or no changes, 1 failed, 2 usage or bad input, 3 changes pending, 4 checks left out for want of something,
130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assembly import commands
from cli.parser import module_of, options_of_verb, parser_of, verbs
from guards import early, masks, termination
from guards.slips import closest, did_you_mean
from session.context import FAILED, INTERRUPTED, OK, ROOT, USAGE, CommandError, Context

GROUPS = {
    "deploy": ("plan", "adopt", "approve", "apply", "rollback", "outputs", "cost"),
    "site": ("publish", "releases", "rollback-release", "prune", "verify", "preview"),
    "on call": ("runbook", "status", "doctor", "drift", "logs", "history", "retry", "stop", "unlock"),
    "environment": ("set-password", "password", "destroy", "local"),
}
"""Verbs in the order of the overview; one that is in none comes last."""
CHANGING = {"apply", "approve", "publish", "rollback", "rollback-release", "prune", "retry", "stop", "unlock", "set-password"}
CHANGING |= {"destroy", "dr", "local"}
"""Verbs that may have begun something when they are interrupted."""
CHANGING_WITH = {"doctor": "fix", "verify": "record"}
"""Verbs that change something only with an option."""
UNCHANGED = "interrupted; nothing was changed"
BEGUN = "interrupted; what was begun may be done: the same command goes on from there"


def main(argv: list[str], packages: Iterable[str], context: Context | None = None) -> int:
    """Run one verb; returns the exit status."""
    context = context or Context()
    context = replace(context, next_command=replace(context.next_command, parser_options=options_of_verb))
    masks.hide_settings(context.environ)
    if "_ARGCOMPLETE" in context.environ:
        from cli.completion import complete

        complete(context.environ, packages)
    found = verbs(packages)
    if argv[:1] == ["help"] and len(argv) <= 2:
        argv = [*argv[1:], "--help"]
    if not argv or argv[0] in ("-h", "--help"):
        return guarded(lambda: _shown(_overview(found), context, OK if argv else USAGE), context)
    if argv[0] == "--version":
        return guarded(lambda: _shown(f"deploy.py {_version()}", context), context)
    verb, arguments = argv[0], argv[1:]
    machine = "--json" in arguments
    if verb not in found:
        return guarded(lambda: _unknown_verb(verb, arguments, found), context, machine=machine, verb=verb)
    return guarded(lambda: _run(verb, arguments, packages, context), context, machine=machine, verb=verb)


def _run(verb: str, arguments: list[str], packages: Iterable[str], context: Context) -> int:
    parser = parser_of(verb, packages)
    try:
        args = parser.read(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    context = replace(context, next_command=context.next_command.of_run(parser, args), quiet=args.quiet, verbose=args.verbose)
    run, machine = module_of(verb, packages).run, bool(getattr(args, "json", False))
    interrupted = BEGUN if may_change(args) else UNCHANGED
    return guarded(lambda: int(run(args, context)), context, machine=machine, verb=verb, interrupted=interrupted)


def may_change(args: argparse.Namespace) -> bool:
    """Whether a run of that verb with those options changes anything."""
    if getattr(args, "dry_run", False):
        return False
    return args.verb in CHANGING or bool(getattr(args, CHANGING_WITH.get(args.verb, ""), False))


def _unknown_verb(verb: str, arguments: list[str], found: Collection[str]) -> int:
    behind = next((word for word in arguments if word in found), "") if verb.startswith("-") else ""
    if behind:
        rest = list(arguments)
        rest.remove(behind)
        raise CommandError(
            f"the verb comes first: {behind}", command=f"{commands.DEPLOY} {shlex.join([behind, verb, *rest])}", status=USAGE
        )
    meant = closest(verb, found)
    raise CommandError(
        f"there is no verb {verb!r}{did_you_mean(verb, found)}",
        command=f"{commands.DEPLOY} {meant or '--help'}{f' {shlex.join(arguments)}' if meant and arguments else ''}",
        status=USAGE,
    )


def _shown(text: str, context: Context, status: int = OK) -> int:
    context.result(text)
    return status


def _version() -> str:
    import configparser

    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["metadata"]["version"]


def guarded(run: Callable[[], int], context: Context, *, machine: bool = False, verb: str = "", interrupted: str = UNCHANGED) -> int:
    """The one place that catches: our errors become words on stderr and an exit status; with `--json` all of it is on stdout too.

    `interrupted` says in which state an interrupt leaves things, or a reader of stdout who is gone.
    """
    early.ended()
    status = None
    try:
        with termination.terminable():
            status = _caught(run, context, interrupted)
            termination.unheard()
            if machine:
                context.write_answer(verb, status)
            if sys.stdout is not None:
                context.stdout.flush()
    except OSError as error:
        sys.stdout = None  # nothing left to flush
        with contextlib.suppress(OSError):
            if not isinstance(error, BrokenPipeError):
                if not status:
                    context.say(f"error: stdout: {error.strerror}")
                status = status or FAILED
            elif status is None and interrupted == BEGUN:
                context.say(f"error: stdout has no reader any more; {interrupted.removeprefix('interrupted; ')}")
    # Without a reader it is not known how it would have ended: no gate is passed by that.
    return FAILED if status is None else status


def _caught(run: Callable[[], int], context: Context, interrupted: str) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        termination.unheard()
        context.say(f"deploy: {interrupted}")
        context.problem("interrupted", interrupted)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        context.failed(known)
        for problem in known.problems:
            context.say(f"error: {problem}")
        for line in commands.told(known.command):
            context.say(f"  {line}")
        return known.status


def _known(error: Exception) -> CommandError | None:
    """Our errors as a `CommandError`; None for a defect, whose traceback must be seen. The modules are only imported if they were used."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, OSError):
        return CommandError(f"{error.filename or 'input or output'}: {error.strerror or error}")
    by_class: Mapping[tuple[str, str], Callable[[Any], CommandError]] = {
        ("assembly.files", "AssemblyError"): lambda e: CommandError(*e.problems, command=e.command, status=USAGE, code="assembly"),
        ("assembly.model", "NoSite"): lambda e: CommandError(str(e), status=USAGE),
        ("aws.errors", "AwsError"): lambda e: CommandError(str(e), command=e.hint, code=e.code or "aws"),
        ("planning.request", "PlanError"): lambda e: CommandError(str(e), command=e.command, status=USAGE, code="plan"),
        ("planning.request", "Stopped"): lambda _: CommandError(
            "interrupted; what had been made for the plan is deleted", status=INTERRUPTED
        ),
        ("planning.saved", "SavedPlanError"): lambda e: CommandError(str(e), command=e.command, status=USAGE, code="saved_plan"),
        ("website.errors", "WebsiteError"): lambda e: CommandError(str(e), command=e.command, code="website"),
        ("website.errors", "SourceError"): lambda e: CommandError(*e.problems, status=USAGE, code="content"),
        ("local_aws.server", "LocalAwsError"): lambda e: CommandError(str(e), command=e.command, code="local_aws"),
    }
    for kind in type(error).__mro__:
        made = by_class.get((kind.__module__, kind.__name__))
        if made is not None:
            return made(error)
    return None


def _overview(found: Mapping[str, tuple[str, Path]]) -> str:
    said = ["usage: deploy.py VERB --env ENV [options]", "", "Deploy what build.py wrote: plan, review, apply."]
    width = max((len(verb) for verb in found), default=0)
    others = tuple(verb for verb in found if not any(verb in members for members in GROUPS.values()))
    for group, members in {**GROUPS, "others": others}.items():
        lines = [f"  {verb:<{width}}  {_first_line(found[verb][1])}" for verb in members if verb in found]
        said += ["", f"{group}:", *lines] if lines else []
    said += [
        "",
        "examples:",
        "  python deploy.py plan --env dev            what would change, in every account and region",
        "  python deploy.py plan --env dev --local    the same against a local AWS, without any account",
        "",
        "deploy.py help VERB, or VERB --help, tells all about one verb.",
        "exit status: 0 done or no changes, 1 failed, 2 usage or bad input, 3 changes pending, 4 checks left out for want of something, "
        "130 interrupted",
    ]
    return "\n".join(said)


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8") as source:
        return source.readline().strip().strip('"')
