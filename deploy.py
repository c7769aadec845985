# PYTHON_ARGCOMPLETE_OK
"""python deploy.py VERB --env ENV: plan, review and apply what build.py wrote.

In: dist/<env>/, AWS credentials (or --local). Out: what the verb says, on stdout; progress on stderr; an exit status.
Never: imports stacks/ or policies/; the assembly on disk is all it knows of them.
"""

from __future__ import annotations

import sys

if getattr(sys.flags, "safe_path", False):  # PYTHONSAFEPATH leaves out the folder of the program, which is all of it
    sys.path.insert(0, __file__.rpartition("/")[0])

from guards import early

if __name__ == "__main__":
    early.begin("deploy", sys.argv[1:])

from guards.interpreter import use_the_projects

if __name__ == "__main__":
    use_the_projects()

from pathlib import Path

from cli.main import main
from guards.stream import install
from guards.termination import final
from review.next_command import NextCommand, Programs
from session.context import Context

VERB_PACKAGES = ("verbs",)

if __name__ == "__main__":
    install()
    programs = Programs.of_process(sys.orig_argv, sys.argv, sys.executable, Path(__file__).resolve().parent)
    final(lambda: main(sys.argv[1:], VERB_PACKAGES, Context(next_command=NextCommand(programs=programs))))
