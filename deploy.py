"""python deploy.py VERB --env ENV: plan, review and apply what build.py wrote.

In: dist/<env>/, AWS credentials (or --local). Out: what the verb says, on stdout; progress on stderr; an exit status.
Never: imports stacks/ or policies/; the assembly on disk is all it knows of them.
"""

from __future__ import annotations

import sys

from cli.main import main
from guards.stream import install

VERB_PACKAGES = ("cli.verbs",)

if __name__ == "__main__":
    install()
    sys.exit(main(sys.argv[1:], VERB_PACKAGES))
