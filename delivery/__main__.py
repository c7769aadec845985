"""python -m delivery WHAT: see `--help`. Exit status: 0 done, 1 failed, 2 usage."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from assembly import commands, files
from delivery import comment, facts, issues, protection
from guards import documents
from planning.saved import SavedPlanError, load, path_of


def main(argv: list[str]) -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(prog="python -m delivery", description="What the workflows need beside the verbs of deploy.py.")
    parser.add_argument("--dist", type=Path, default=Path("dist"), metavar="DIR")
    what = parser.add_subparsers(dest="what", required=True)
    for name, told in (
        ("facts", "roles, region and address of an environment, for GITHUB_OUTPUT"),
        ("plan", "digest of the saved plan of an environment, and whether it changes anything, for GITHUB_OUTPUT"),
        ("issue", "bring the issue of an environment to where the findings of a night are"),
    ):
        what.add_parser(name, help=told).add_argument("--env", required=True, metavar="ENV")
    what.add_parser("assemblies", help="one digest over every assembly, for GITHUB_OUTPUT")
    what.add_parser("protect", help="the gh commands that protect the branch and the environments")
    what.add_parser("release", help="digest of what was published, for GITHUB_OUTPUT").add_argument(
        "--of", type=Path, required=True, metavar="FILE", help="what `publish --json` printed"
    )
    text = what.add_parser("comment", help="the comment of a pull request, on stdout")
    text.add_argument("--reviews", type=Path, required=True, metavar="DIR")
    text.add_argument("--commit", default="", metavar="SHA")
    for each in (text, what.choices["issue"]):
        each.add_argument("--run", default="", metavar="URL")
    what.choices["issue"].add_argument("--findings", type=Path, required=True, metavar="DIR")
    args = parser.parse_args(argv)
    try:
        print(_SAID[args.what](args))
    except _PROBLEMS as error:
        print(f"error: {error}", *(f"  {line}" for line in commands.told(getattr(error, "command", ""))), sep="\n", file=sys.stderr)
        return 1
    return 0


_PROBLEMS = (
    files.AssemblyError,
    SavedPlanError,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    documents.Unreadable,
    subprocess.CalledProcessError,
)


def _comment(args: argparse.Namespace) -> str:
    return comment.render(comment.read(args.reviews), commit=args.commit, run=args.run)


def _issue(args: argparse.Namespace) -> str:
    return issues.report(args.env, issues.read(args.findings), _gh, run=args.run)


def _protect(args: argparse.Namespace) -> str:
    return "\n".join(protection.commands(files.read(path.parent)[0] for path in sorted(args.dist.glob(f"*/{files.MANIFEST}"))))


def _assemblies(args: argparse.Namespace) -> str:
    return "\n".join(facts.lines(facts.of_all(args.dist)))


def _release(args: argparse.Namespace) -> str:
    return "\n".join(facts.lines({"digest": str(documents.loads(args.of.read_bytes())["data"]["outcome"]["release"]["content"])}))


def _plan(args: argparse.Namespace) -> str:
    path = path_of(args.dist, args.env)
    return "\n".join(facts.lines(facts.of_plan(load(path, args.env) if path.exists() else None)))


def _facts(args: argparse.Namespace) -> str:
    return "\n".join(facts.lines(facts.of_assembly(files.read(args.dist / args.env)[0])))


_SAID = {
    "comment": _comment,
    "issue": _issue,
    "protect": _protect,
    "assemblies": _assemblies,
    "release": _release,
    "plan": _plan,
    "facts": _facts,
}


def _gh(arguments: tuple[str, ...], text: str) -> str:
    return subprocess.run(("gh", *arguments), input=text, text=True, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603, S607


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
