"""The tour of README.md: real commands with their real output, against the local AWS. `python docs/tour.py` runs them and rewrites it.

In: a copy of the checkout in a directory of its own, a made-up front end. Out: the text between two marks of README.md.
Never: touches the dist/ or .local-aws/ of the checkout. What differs from run to run (digests, ports, seconds) is a placeholder, so that a
difference of the text is a difference of the product.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- tour: made by `make tour` -->", "<!-- end of tour -->"
COMMANDS = (
    "python build.py --env dev",
    "python deploy.py plan --env dev --local",
    "python deploy.py apply --env dev --local --yes",
    "python deploy.py publish --env dev --local --content web/dist --yes",
    "python deploy.py verify --env dev --local",
    "python deploy.py releases --env dev --local",
)
LINES = 26
"""Lines of one command's output; of longer ones the beginning and the end."""
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".local-aws", "dist", "node_modules", "__pycache__", ".*_cache", "tests")
_VARYING = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    # With a letter in it: an account has digits alone.
    (re.compile(r"\b(?=[0-9]*[a-f])[0-9a-f]{12}\b"), "3f2a91c07b55"),
    (re.compile(r"password [a-z0-9-]{20,}"), "password PASSWORD"),
    (re.compile(r"\b[0-9a-z]{14}\.cloudfront\.net"), "d111111abcdef8.cloudfront.net"),
    (re.compile(r"\d+ days left, until \d{4}-\d\d-\d\d"), "N days left"),
    (re.compile(r"\d{4}-\d\d-\d\d \d+:\d\d\b"), "2026-11-27 0:00"),
    (re.compile(re.escape(sys.executable)), "python"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:4566"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "2026-11-27T10:00:00Z"),
    (re.compile(r"\b\d+(\.\d+)? (s|min)\b"), "N s"),
    (re.compile(r"\b\d+:\d\d\b"), "0:00"),
    (re.compile(r"\bE[A-Z0-9]{12,13}\b"), "E1EXAMPLE"),
)


def run(directory: Path) -> str:
    """Every command with its output. Raises `RuntimeError` for one that fails."""
    environ = {**os.environ, "COLUMNS": "110", "NO_COLOR": "1"}
    parts = []
    for command in COMMANDS:
        words = [sys.executable, *shlex.split(command)[1:]]
        ended = subprocess.run(  # noqa: S603 - our own commands
            words, cwd=directory, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=1_200
        )
        if ended.returncode not in (0, 3, 4):
            raise RuntimeError(f"{command}: exit status {ended.returncode}\n{ended.stdout}")
        parts.append(f"$ {command}\n{shown(ended.stdout)}")
    return "\n".join(parts)


def shown(text: str) -> str:
    """The output without what differs from run to run, and without its middle where it is long."""
    lines = [line.rstrip() for line in text.rstrip("\n").split("\n")]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 9], f"... {len(lines) - LINES + 1} lines more ...", *lines[-8:]]
    for pattern, placeholder in _VARYING:
        lines = [pattern.sub(placeholder, line) for line in lines]
    return "\n".join(lines) + "\n"


def written(readme: str, tour: str) -> str:
    """README with this tour. Raises ValueError where the marks are missing."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n\n```console\n{tour}```\n\n{END}{tail}"


def main() -> int:
    """Run and write."""
    with tempfile.TemporaryDirectory(prefix="tour-") as folder:
        checkout = Path(shutil.copytree(ROOT, Path(folder) / "platform", ignore=_LEFT_OUT))
        content = checkout / "web" / "dist"
        (content / "assets").mkdir(parents=True)
        (content / "index.html").write_text(
            '<!doctype html><title>Buy</title><script type="module" src="/assets/app-4f3a2b1c.js"></script>\n'
        )
        (content / "assets" / "app-4f3a2b1c.js").write_text('document.title = "Buy";\n')
        try:
            tour = run(checkout)
        finally:
            subprocess.run([sys.executable, "deploy.py", "local", "reset", "--yes"], cwd=checkout, check=False, capture_output=True)
    README.write_text(written(README.read_text(encoding="utf-8"), tour), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
