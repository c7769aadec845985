"""Draw an environment as an architecture picture, from what was built; with --plan, what the saved plan changes.

In: an environment. Out: the picture on stdout or in a file: Mermaid (GitHub draws it), DOT (Graphviz), or SVG.
Never: asks AWS; what is drawn is what the templates say.

Exit status: 0 drawn, 2 usage or not built.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from session.context import OK, USAGE, CommandError, Context
from session.opened import default_dist, read_assembly

if TYPE_CHECKING:
    from assembly.model import Assembly
    from graph.picture import Changes

EXAMPLES = """\
  python deploy.py graph --env prod                               a Mermaid flowchart, for a Markdown page
  python deploy.py graph --env prod --format svg --out prod.svg   a picture for a browser, light and dark
  python deploy.py graph --env prod --plan --format svg --out plan.svg    the saved plan in colour
  python deploy.py graph --env prod --format dot | dot -Tpdf -o prod.pdf
"""
DATA = ("docs.verb_answers:Picture",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; AWS is not asked, so there are no credentials to name."""
    parser.add_argument("--env", required=True, metavar="ENV", help="environment, as built into dist/ENV")
    parser.add_argument(
        "--dist", type=Path, default=default_dist(), metavar="DIR", help="where build.py wrote (default: dist of the checkout)"
    )
    parser.add_argument("--format", choices=("mermaid", "dot", "svg"), default="mermaid", help="form of the picture (default: mermaid)")
    parser.add_argument("--plan", action="store_true", help="colour what the saved plan changes")
    parser.add_argument("--json", action="store_true", help="print JSON, with the picture as text")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of to stdout")


def run(args: argparse.Namespace, context: Context) -> int:
    """Read, draw."""
    from graph.formats import dot, mermaid
    from graph.picture import picture
    from graph.svg import svg

    assembly, templates = read_assembly(args)
    changes = _changes(args, assembly) if args.plan else None
    text = {"mermaid": mermaid, "dot": dot, "svg": svg}[args.format](picture(assembly, templates, changes))
    if args.out is not None:
        try:
            args.out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{args.out}: {error.strerror or error}", status=USAGE) from None
        context.say(f"wrote {args.out}")
    if args.json:
        context.data({"environment": args.env, "format": args.format, "text": text if args.out is None else ""})
    elif args.out is None:
        context.document(text)
    return OK


def _changes(args: argparse.Namespace, assembly: Assembly) -> Changes:
    from planning.saved import load, path_of
    from review.architecture import changes

    plan = load(path_of(args.dist, args.env), args.env)
    if plan.assembly_digest != assembly.digest:
        raise CommandError(
            f"the saved plan is of assembly {plan.assembly_digest[:12]}, and built is {assembly.digest[:12]}",
            command=commands.deploy("plan", args.env),
            status=USAGE,
        )
    return changes(plan)
