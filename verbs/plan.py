"""Plan every stack and the site's content, and show what would change.

In: the assembly of an environment, with --content a built front end, with --release one that another environment verified.
Out: the review on stdout, the plan in dist/ENV/plan.json, change sets that wait for apply.
Never: executes anything, publishes anything. The change sets of the plan that was saved before are deleted first.

Exit status: 0 no changes, 3 changes pending, 1 blocked or failed, 2 usage.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assembly import commands
from guards.text import line_again
from session.context import FAILED, OK, PENDING, USAGE, CommandError, Context
from session.freshness import add_build_argument
from session.opened import Opened, add_common_arguments, open_environment
from session.site import add_choice_arguments

if TYPE_CHECKING:
    from assembly.model import Assembly
    from planning.model import Finding, Options, Plan
    from review.architecture import Drawn
    from takeover.model import Taken
    from website.content_plan import ContentPlan

EXAMPLES = """\
  python deploy.py plan --env dev                                review on the terminal
  python deploy.py plan --env dev --local                        against a local AWS, without any account
  python deploy.py plan --env prod --format html --out plan.html  review as a page that opens from disk
  python deploy.py plan --env prod --format markdown             review for a pull-request comment
  python deploy.py plan --env prod --read-only                   by the plan role, which may change nothing
  python deploy.py plan --env prod --only site                   one stack, and what it depends on
  python deploy.py plan --env dev --remove                       with the deletion of stacks that are no more wanted
  python deploy.py plan --env dev --content ../web/dist          the stacks and the app, as one plan
  python deploy.py plan --env prod --release sit:3f9c01d2ab44    the stacks and what was verified in sit, as one plan
"""
DATA = ("review.as_json:Review",)

FORMS = {".md": "markdown", ".html": "html", ".json": "json"}
"""Of a review that is written to a file, by its ending."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments and the common ones."""
    add_common_arguments(parser)
    add_build_argument(parser)
    add_review_arguments(parser)
    parser.add_argument(
        "--only", action="append", default=[], metavar="STACK", help="only this stack and what it depends on; may be repeated"
    )
    add_content_arguments(parser)
    parser.add_argument(
        "--interrupt-site", action="store_true", help="with --content: the site may get another bucket, and show errors for some minutes"
    )
    parser.add_argument(
        "--remove", action="store_true", help="delete the environment's stacks that the assembly no longer has, last of all"
    )
    parser.add_argument(
        "--lift-termination-protection", action="store_true", help="with --remove: also of stacks that have termination protection"
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="leave nothing at AWS and read no secret: apply makes the change sets, and executes what does the same",
    )
    parser.add_argument("--revert-drift", action="store_true", help="drift-aware change sets, which bring back what drifted")
    parser.add_argument("--import-existing", action="store_true", help="take over existing resources that have the template's names")
    parser.add_argument(
        "--replace-records", action="store_true", help="delete records of others that stand where this environment makes its own"
    )
    parser.add_argument(
        "--removed-instances",
        choices=("keep", "delete"),
        default="default",
        help="stacks of StackSet instances that are no target any more (default: keep those that hold data)",
    )


def add_review_arguments(parser: argparse.ArgumentParser) -> None:
    """In which forms the review is wanted."""
    parser.add_argument(
        "--format", choices=("text", "markdown", "json", "html"), help="form of the review (default: text, or what a FILE's ending says)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON: the review as --format json has it, in an envelope")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="with all that the text folds (policies of new stacks, CloudFormation's own words), and every call to AWS on stderr",
    )
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write the review there instead of to stdout (readable by you alone); may be repeated: .md, .html, .json, .txt",
    )


def add_content_arguments(parser: argparse.ArgumentParser) -> None:
    """--content, --release, --allow, --exclude."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--content", type=Path, metavar="DIR", help="a built front end, published by apply when the stacks stand")
    group.add_argument(
        "--release",
        metavar="ENV:RELEASE",
        help="a verified release of another environment, published by apply when the stacks stand; `releases` lists them",
    )
    add_choice_arguments(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Plan, save, show."""
    from planning.model import Options

    opened = open_environment(args, context)
    options = Options(
        revert_drift=args.revert_drift,
        import_existing=args.import_existing,
        replace_records=args.replace_records,
        removed_instances=args.removed_instances,
        interrupt_site=args.interrupt_site,
        remove=args.remove,
        lift_protection=args.lift_termination_protection,
        only=tuple(args.only),
        local=args.local,
        read_only=args.read_only,
    )
    plan = plan_and_save(opened, options, args.dist, context, content=content_of(args, context, opened))
    show(plan, args, context)
    if args.revert_drift:
        _say_what_stays_drifted(opened, plan, context)
    return status_of(plan)


def _say_what_stays_drifted(opened: Opened, plan: Plan, context: Context) -> None:
    """ "No changes" would be read as "as deployed"."""
    from operations.drift import still_drifted

    unchanged = {each.stack for each in plan.stacks if each.operation == "none"}
    told = still_drifted(tuple(stack for stack in opened.assembly.stacks if stack.id in unchanged), opened.gateways)
    for each in told:
        context.say(f"warning: {each}")
    if told:
        context.say_next(commands.deploy("drift", opened.assembly.environment))


def content_of(args: argparse.Namespace, context: Context, opened: Opened) -> ContentPlan | None:
    """The content part of the plan, if it was asked for. Raises before anything was made for a plan."""
    if args.exclude and args.content is None:
        raise CommandError("--exclude is about --content DIR, which is not there", status=USAGE)
    if args.allow and args.content is None and args.release is None:
        raise CommandError("--allow is about --content DIR or --release, which is not there", status=USAGE)
    if args.content is None and args.release is None:
        return None
    from session.content import from_directory, plan_source

    if args.content is not None:
        source = from_directory(opened, args.content, allow=tuple(args.allow), exclude=tuple(args.exclude))
        return plan_source(opened, source, now=context.now())
    from session.promotion import promoted

    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        source = promoted(args, context, opened, args.release, Path(folder), allow=tuple(args.allow))
        return plan_source(opened, source, now=context.now())


def plan_and_save(
    opened: Opened,
    options: Options,
    dist: Path,
    context: Context,
    *,
    content: ContentPlan | None = None,
    rolling_back: bool = False,
    taken: tuple[Taken, ...] = (),
) -> Plan:
    """Drop the plan that was saved before, make a new one and save it; a blocked one is not saved."""
    from aws.s3 import S3
    from planning.cleanup import drop
    from planning.plan import make_plan
    from planning.request import Request
    from planning.saved import SavedPlanError, forget, load, path_of, save
    from rollout import history, orphaned_stacks
    from session import backfill
    from session.approval import wanted
    from templates.schemas import bundled

    assembly = opened.assembly
    path = path_of(dist, assembly.environment)
    try:
        earlier = load(path, assembly.environment)
    except SavedPlanError:
        earlier = None
    if earlier is not None and earlier.options.local == options.local:
        for finding in drop(earlier, opened.gateways):
            context.say(f"{finding.severity}: {finding.message}")
            context.say_next(finding.command)
    forget(path)

    def bucket() -> S3:
        return S3.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region)

    @functools.cache
    def look() -> orphaned_stacks.OrphanedStacks:
        return orphaned_stacks.find(bucket, assembly, opened.templates, opened.gateways, rolling_back=rolling_back)

    request = Request(
        assembly=assembly,
        templates=opened.templates,
        options=options,
        created_at=context.timestamp(),
        created_by=opened.caller,
        nonce=context.token_hex(4),
        content=content,
        taken=taken,
        look=lambda: (*look().findings, *backfill.findings(opened), *_needed(opened, options, context, look().last), *wanted(look().last)),
        removals=lambda: look().removals,
        leaving=lambda: look().leaving,
        last=lambda: look().last,
        measured=lambda: history.expected_or_none(bucket(), assembly.artifact_bucket, assembly.environment),
        first_look=lambda: _doctor(opened, options, context),
    )
    plan = make_plan(request, opened.gateways, bundled(), progress=_progress(context), stop=threading.Event())
    if not plan.blocked:
        save(path, plan)
    return plan


def _needed(opened: Opened, options: Options, context: Context, last: Assembly | None) -> tuple[Finding, ...]:
    """What stands in the way of what the plan relies on and does not make."""
    from doctor.relied_on import relied_on

    codes = relied_on(opened.assembly, opened.templates, last)
    return _doctor(opened, options, context, codes) if codes else ()


def _doctor(opened: Opened, options: Options, context: Context, codes: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """The doctor's checks that concern a deployment, or those `codes`. Imported here, as most plans need none."""
    from doctor import deployment
    from doctor.check import CheckContext
    from operations.public_dns import PublicDns

    checked = CheckContext(
        assembly=opened.assembly,
        templates=opened.templates,
        aws=opened.aws,
        gateways=opened.gateways,
        # Beside a stand-in for AWS, whoever started it, there is no public DNS that knows of it.
        resolver=None if options.local or context.environ.get("AWS_ENDPOINT_URL") else PublicDns(),
        local=options.local,
    )
    return deployment.findings(checked) if codes is None else deployment.problems(checked, codes)


def show(plan: Plan, args: argparse.Namespace, context: Context) -> None:
    """The review in the asked forms, to the files or to stdout; with --json in the envelope, beside the files."""
    for out in args.out:
        form = args.format or FORMS.get(out.suffix, "json" if args.json else "text")
        _show(plan, form, out, context, verbose=args.verbose, drawn=_drawn(plan, args) if form == "html" else None)
    if args.json:
        from review import as_json
        from review.summary import next_command

        context.data(as_json.review(plan))
        context.answer.steps.append(next_command(plan))
        report_errors(context, plan)
    elif not args.out:
        form = args.format or "text"
        _show(plan, form, None, context, verbose=args.verbose, drawn=_drawn(plan, args) if form == "html" else None)


def report_errors(context: Context, plan: Plan) -> None:
    """For machines: what blocks the plan."""
    from review.summary import findings_in_order

    for finding in findings_in_order(plan):
        if finding.severity == "error":
            context.problem(finding.code, finding.message, finding.command)


def _drawn(plan: Plan, args: argparse.Namespace) -> Drawn | None:
    """The environment's picture with the plan in it; None where what it was made of is not there any more."""
    from assembly import files
    from review.architecture import drawn

    try:
        return drawn(plan, *files.read(args.dist / plan.environment))
    except files.AssemblyError:
        return None


def _show(plan: Plan, form: str, out: Path | None, context: Context, *, verbose: bool = False, drawn: Drawn | None = None) -> None:
    colour = out is None and context.colour(context.stdout)
    text = rendered(plan, form, width=context.width(), colour=colour, verbose=verbose, drawn=drawn)
    if form != "text" or out is not None:
        text = _document(text, form, context)
    if out is None:
        (context.result if form == "text" else context.document)(text)
        return
    from guards.private import write_private
    from review.summary import last_line

    if not out.parent.is_dir():
        raise CommandError(f"{out.parent}: there is no such directory")
    write_private(out, text.encode())
    context.say(f"wrote {out}")
    context.say(last_line(plan))


def _document(text: str, form: str, context: Context) -> str:
    """Its commands stay canonical, whoever made it; in JSON the plan is left alone, since its digest covers it."""
    shown = context.next_command.in_documents
    if form != "json":
        return shown.in_text(text)
    from assembly.files import canonical_json
    from guards import documents

    review: dict[str, Any] = documents.loads(text)
    return canonical_json({**review, "summary": shown.in_value(review["summary"])}).decode()


def rendered(plan: Plan, form: str, *, width: int, colour: bool, verbose: bool = False, drawn: Drawn | None = None) -> str:
    """The review in one of the four forms; `verbose` is about the text."""
    if form == "markdown":
        from review import markdown

        return markdown.render(plan)
    if form == "json":
        from review import as_json

        return as_json.render(plan)
    if form == "html":
        from review import html

        return html.render(plan, drawn)
    from review import terminal

    return terminal.render(plan, width=width, colour=colour, verbose=verbose)


def status_of(plan: Plan) -> int:
    """Exit status for a plan."""
    return FAILED if plan.blocked else PENDING if plan.has_changes else OK


def _progress(context: Context) -> Callable[[str, str], None]:
    """One line that is written over on a terminal; nothing otherwise, as planning takes seconds."""
    if context.quiet or context.verbose or not context.stderr.isatty():
        return lambda *_: None
    lock = threading.Lock()
    busy: dict[str, str] = {}

    def progress(stack: str, what: str) -> None:
        with lock:
            if what == "planned":
                busy.pop(stack, None)
            else:
                busy[stack] = what
            line = ", ".join(f"{name} {doing}" for name, doing in busy.items())
            context.stderr.write(f"{line_again()}{line[: context.width() - 1]}")
            context.stderr.flush()

    return progress
