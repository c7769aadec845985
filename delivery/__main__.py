"""python -m delivery WHAT: see `--help`. Exit status: 0 done, 1 failed, 2 usage."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assembly import commands, files
from delivery import comment, facts, issues, order, origin, protection, summary
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
        ("approval", "the summary of a plan's job, for those who approve"),
        ("released", "the summary of a publish"),
        ("guarded", "end with 1 where an environment asks for approval and GitHub would ask nobody"),
        ("order", "end with 1 where an environment runs a newer commit than that of this run"),
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
    what.choices["order"].add_argument("--history", type=Path, required=True, metavar="FILE", help="what `history --json` printed")
    what.choices["order"].add_argument("--commit", required=True, metavar="SHA")
    what.add_parser("unpublished", help="end with 1 where something was published").add_argument(
        "--releases", type=Path, required=True, metavar="FILE", help="what `releases --json` printed"
    )
    what.add_parser("origin", help="commit that another run has built, for GITHUB_OUTPUT; 1 where its files must not be published")
    what.choices["origin"].add_argument("--run", required=True, metavar="NUMBER")
    what.choices["origin"].add_argument("--owner", required=True, metavar="ORGANISATION", help="who alone may have built them")
    for each in (what.choices["guarded"], what.choices["order"], what.choices["origin"]):
        each.add_argument("--repository", required=True, metavar="ORGANISATION/REPOSITORY")
    text = what.add_parser("comment", help="the comment of a pull request, on stdout")
    text.add_argument("--reviews", type=Path, required=True, metavar="DIR")
    text.add_argument("--commit", default="", metavar="SHA")
    for each in (text, what.choices["issue"]):
        each.add_argument("--run", default="", metavar="URL")
    what.choices["issue"].add_argument("--findings", type=Path, required=True, metavar="DIR")
    args = parser.parse_args(argv)
    try:
        print(_SAID[args.what](args))
    except subprocess.CalledProcessError as error:
        print(f"error: {' '.join(error.cmd[:3])}: {error.stderr.strip() or error}", file=sys.stderr)
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
    return comment.render(comment.read(args.reviews), commit=args.commit, run=args.run)


def _issue(args: argparse.Namespace) -> str:
    return issues.report(args.env, issues.read(args.findings), _gh, run=args.run)


def _protect(args: argparse.Namespace) -> str:
    return "\n".join(protection.commands(files.read(path.parent)[0] for path in sorted(args.dist.glob(f"*/{files.MANIFEST}"))))


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
    assembly = files.read(args.dist / args.env)[0]
    if not protection.unguarded(assembly, {}):
        return f"{args.env}: nobody has to be asked by GitHub"
    return _unless(protection.unguarded(assembly, _asked(f"repos/{_repository(args)}/environments/{args.env}")))


def _order(args: argparse.Namespace) -> str:
    compare = partial(_compared, _repository(args))
    return _unless(order.out_of_date(args.history.read_bytes(), args.commit, compare, environment=args.env))


def _compared(repository: str, first: str, second: str) -> str:
    """How the second commit stands to the first; "" where GitHub does not know one of them."""
    try:
        return str(_asked(f"repos/{repository}/compare/{first}...{second}?per_page=1")["status"])
    except subprocess.CalledProcessError as error:
        if "HTTP 404" in error.stderr:
            return ""
        raise


def _unpublished(args: argparse.Namespace) -> str:
    there = documents.loads(args.releases.read_bytes())["data"]["releases"]
    return _unless(f"{len(there)} releases are there to verify" if there else "")


def _origin(args: argparse.Namespace) -> str:
    repository = _repository(args)
    if re.fullmatch("[0-9]+", args.run) is None:
        raise ValueError(f"{args.run!r} is not the number of a run")
    run = _asked(f"repos/{repository}/actions/runs/{args.run}")
    about = _asked(f"repos/{repository}")
    _unless(origin.problem(run, about, owner=args.owner))
    commit, branch = str(run["head_sha"]), str(about["default_branch"])
    # By its commit, as a tag may have the branch's name.
    tip = str(_asked(f"repos/{repository}/branches/{quote(branch)}")["commit"]["sha"])
    _unless(origin.unmerged(commit, tip, lambda: _compared(repository, tip, commit), branch=branch))
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


def _asked(path: str) -> dict[str, Any]:
    """What GitHub's REST API says. Raises ValueError for no object."""
    answer = documents.loads(_gh(("api", path), "").encode())
    if not isinstance(answer, dict):
        raise ValueError(  # noqa: TRY004  (it is GitHub's, not a caller's)
            f"GitHub's answer to {path} is not as its API describes it"
        )
    return answer


def _plan(args: argparse.Namespace) -> str:
    path = path_of(args.dist, args.env)
    return "\n".join(facts.lines(facts.of_plan(load(path, args.env) if path.exists() else None)))


def _facts(args: argparse.Namespace) -> str:
    assembly = files.read(args.dist / args.env)[0]
    _unless(facts.unready(assembly))
    return "\n".join(facts.lines(facts.of_assembly(assembly)))


_SAID = {
    "comment": _comment,
    "issue": _issue,
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
