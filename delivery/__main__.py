"""python -m delivery WHAT: see `--help`. Exit status: 0 done, 1 failed, 2 usage."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assembly import commands, files
from assembly.model import Assembly
from delivery import comment, facts, issues, order, origin, place, protection, summary
from delivery.github import SERVER, GitHub
from guards import documents
from planning.saved import SavedPlanError, load, path_of


def main(argv: list[str], *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Run one of them."""
    parser = argparse.ArgumentParser(prog="python -m delivery", description="What the workflows need beside the verbs of deploy.py.")
    parser.add_argument("--dist", type=Path, default=Path("dist"), metavar="DIR")
    what = parser.add_subparsers(dest="what", required=True)
    for name, told in (
        ("facts", "roles, region and address of an environment, for GITHUB_OUTPUT"),
        ("plan", "digest of the saved plan of an environment, and whether it changes anything, for GITHUB_OUTPUT"),
        ("approval", "the summary of a plan's job, for those who approve"),
        ("released", "the summary of a publish"),
        ("guarded", "end with 1 where an environment asks for approval and GitHub would ask nobody"),
        ("order", "end with 1 where an environment has a newer commit than that of this run"),
    ):
        what.add_parser(name, help=told).add_argument("--env", required=True, metavar="ENV")
    what.add_parser("assemblies", help="one digest over every assembly, for GITHUB_OUTPUT")
    what.add_parser("protect", help="the gh commands that protect the branch and the environments")
    what.add_parser("release", help="digest of what was published, for GITHUB_OUTPUT")
    for each in (what.choices["release"], what.choices["released"]):
        each.add_argument("--of", type=Path, required=True, metavar="FILE", help="what `publish --json` printed")
    what.choices["approval"].add_argument("--digest", required=True, metavar="DIGEST", help='of the plan; "" where nothing changes')
    what.choices["approval"].add_argument("--review", type=Path, required=True, metavar="DIR")
    what.choices["approval"].add_argument("--before", type=Path, metavar="DIR", help="the review that was approved, after AWS has moved")
    newest = what.choices["order"].add_mutually_exclusive_group(required=True)
    newest.add_argument("--history", type=Path, metavar="FILE", help="what `history --json` printed")
    newest.add_argument("--releases", type=Path, metavar="FILE", help="what `releases --json` printed")
    what.choices["order"].add_argument("--commit", required=True, metavar="SHA")
    what.add_parser("unpublished", help="end with 1 where something was published").add_argument(
        "--releases", type=Path, required=True, metavar="FILE", help="what `releases --json` printed"
    )
    what.add_parser("origin", help="commit that another run has built, for GITHUB_OUTPUT; 1 where its files must not be published")
    what.choices["origin"].add_argument("--run", required=True, metavar="NUMBER")
    what.choices["origin"].add_argument("--owner", required=True, metavar="ORGANISATION", help="who alone may have built them")
    what.choices["origin"].add_argument("--branch", default="", metavar="NAME", help="of which it must be; the default one if left out")
    text = what.add_parser("comment", help="bring the comment of a pull request to where the reviews are")
    text.add_argument("--reviews", type=Path, required=True, metavar="DIR")
    text.add_argument("--commit", required=True, metavar="SHA")
    text.add_argument("--pull-request", type=int, required=True, metavar="NUMBER")
    night = what.add_parser("issues", help="bring the issue of every environment to where the findings of a night are")
    night.add_argument("--findings", type=Path, required=True, metavar="DIR", help="with a folder findings-ENV for each")
    night.add_argument("--known", nargs="+", required=True, metavar="NAME", help="what has an issue; of anything else it is closed")
    for each in (text, night):
        each.add_argument("--run", required=True, metavar="URL")
    for each in (what.choices["guarded"], what.choices["order"], what.choices["origin"], text, night):
        each.add_argument("--repository", required=True, metavar="ORGANISATION/REPOSITORY")
    args = parser.parse_args(argv)
    args.github = GitHub(run=_gh, sleep=sleep)
    try:
        print(_SAID[args.what](args))
    except subprocess.CalledProcessError as error:
        print(f"error: {' '.join(error.cmd)}: {error.stderr.strip() or error}", file=sys.stderr)
        return 1
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        print(f"error: {args.what}: what was read is not as expected: {error}", file=sys.stderr)
        return 1
    except _PROBLEMS as error:
        print(f"error: {error}", *(f"  {line}" for line in commands.told(getattr(error, "command", ""))), sep="\n", file=sys.stderr)
        return 1
    return 0


_PROBLEMS = (
    files.AssemblyError,
    SavedPlanError,
    OSError,
    ValueError,
    documents.Unreadable,
)


def _comment(args: argparse.Namespace) -> str:
    text = comment.render(comment.read(args.reviews), commit=args.commit, run=args.run)
    return comment.write(text, args.github, repository=_repository(args), pull_request=args.pull_request, commit=args.commit)


def _issues(args: argparse.Namespace) -> str:
    tracker = issues.Tracker(github=args.github, repository=_repository(args), run=args.run)
    return "\n".join(tracker.report(issues.read(args.findings), known=args.known))


def _protect(args: argparse.Namespace) -> str:
    built = [files.read(path.parent) for path in sorted(args.dist.glob(f"*/{files.MANIFEST}"))]
    return "\n".join(protection.commands((assembly, place.of(assembly, templates)) for assembly, templates in built))


def _assemblies(args: argparse.Namespace) -> str:
    return "\n".join(facts.lines(facts.of_all(args.dist)))


def _release(args: argparse.Namespace) -> str:
    return "\n".join(facts.lines({"digest": str(_published(args)["content"])}))


def _released(args: argparse.Namespace) -> str:
    return summary.of_release(args.env, _published(args))


def _published(args: argparse.Namespace) -> Any:
    return documents.loads(args.of.read_bytes())["data"]["outcome"]["release"]


def _approval(args: argparse.Namespace) -> str:
    return summary.of_plan(args.env, args.digest, args.review, before=args.before)


def _guarded(args: argparse.Namespace) -> str:
    assembly, where = _assembly(args)
    if not protection.unguarded(assembly, {}):
        return f"{args.env}: nobody has to be asked by GitHub"
    name = where.environment if where else args.env
    return _unless(protection.unguarded(assembly, args.github.get(f"repos/{_repository(args)}/environments/{name}")))


def _order(args: argparse.Namespace) -> str:
    compare = partial(args.github.compared, _repository(args))
    latest = order.applied(args.history.read_bytes()) if args.history else order.live(args.releases.read_bytes())
    return _unless(order.out_of_date(latest, args.commit, compare, environment=args.env))


def _unpublished(args: argparse.Namespace) -> str:
    there = documents.loads(args.releases.read_bytes())["data"]["releases"]
    return _unless(f"{len(there)} releases are there to verify" if there else "")


def _origin(args: argparse.Namespace) -> str:
    repository = _repository(args)
    if re.fullmatch("[0-9]+", args.run) is None:
        raise ValueError(f"{args.run!r} is not the number of a run")
    run = args.github.get(f"repos/{repository}/actions/runs/{args.run}")
    about = args.github.get(f"repos/{repository}")
    branch = args.branch or str(about["default_branch"])
    _unless(origin.problem(run, about, owner=args.owner, branch=branch))
    commit = str(run["head_sha"])
    # By its commit, as a tag may have the branch's name.
    tip = str(args.github.get(f"repos/{repository}/branches/{quote(branch)}")["commit"]["sha"])
    _unless(origin.unmerged(commit, tip, lambda: args.github.compared(repository, tip, commit), branch=branch))
    return "\n".join(facts.lines({"commit": commit}))


def _repository(args: argparse.Namespace) -> str:
    repository: str = args.repository
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", repository, re.ASCII) is None:
        raise ValueError(f"{repository!r} is not ORGANISATION/REPOSITORY")
    return repository


def _unless(problem: str) -> str:
    """Nothing to say. Raises ValueError with the problem if there is one."""
    if problem:
        raise ValueError(problem)
    return "nothing stands in the way"


def _plan(args: argparse.Namespace) -> str:
    path = path_of(args.dist, args.env)
    return "\n".join(facts.lines(facts.of_plan(load(path, args.env) if path.exists() else None)))


def _facts(args: argparse.Namespace) -> str:
    assembly, where = _assembly(args)
    server, ref = os.environ.get("GITHUB_SERVER_URL", SERVER), os.environ.get("GITHUB_REF", "")
    _unless(facts.unready(assembly, where, server=server, ref=ref))
    return "\n".join(facts.lines(facts.of_assembly(assembly)))


def _assembly(args: argparse.Namespace) -> tuple[Assembly, place.Place | None]:
    assembly, templates = files.read(args.dist / args.env)
    return assembly, place.of(assembly, templates)


_SAID = {
    "comment": _comment,
    "issues": _issues,
    "protect": _protect,
    "assemblies": _assemblies,
    "release": _release,
    "plan": _plan,
    "facts": _facts,
    "approval": _approval,
    "released": _released,
    "guarded": _guarded,
    "order": _order,
    "origin": _origin,
    "unpublished": _unpublished,
}


def _gh(arguments: tuple[str, ...], text: str) -> str:
    """Raises `CalledProcessError` with what it said."""
    return subprocess.run(("gh", *arguments), input=text, text=True, check=True, capture_output=True).stdout  # noqa: S603, S607


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
