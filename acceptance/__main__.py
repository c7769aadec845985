"""`python -m acceptance --env ENV`: see `acceptance/README.md`.

Exit status: 0 passed, 1 a step failed, 2 refused, 3 AWS needs hours before the next step, 130 interrupted.
"""

from __future__ import annotations

from guards.interpreter import use_the_projects

if __name__ == "__main__":
    use_the_projects()

import sys

from acceptance.command import main
from guards.stream import install
from guards.termination import final

if __name__ == "__main__":
    install()
    final(lambda: main(sys.argv[1:]))
