"""`deploy.py dr rehearse` of a site that has no host name: a process of the tests, whose first argument is where the site answers.

In: [http://]HOST:PORT, the arguments of `dr`. Out: as `deploy.py dr`. Never: part of the product, whose rehearsals ask where visitors do.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cli.main import guarded
from cli.parser import PACKAGES, options_of_verb, parser_of
from session.context import Context
from verbs import dr


def main(where: str, arguments: list[str]) -> int:
    """The exit status."""
    parser = parser_of("dr", PACKAGES)
    args = parser.read(arguments)
    args.resolve = where
    context = Context()
    context = replace(context, next_command=replace(context.next_command, parser_options=options_of_verb).of_run(parser, args))
    return guarded(lambda: dr.run(args, context), context, machine=args.json, verb="dr")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
