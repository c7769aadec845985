"""What the documents tell people to type can be typed, and their links lead somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents
from tests.golden_files import ROOT

PAGES = documents.documents()


def test_there_are_documents() -> None:
    assert len(PAGES) > 60
    assert sum(len(list(documents.typed(page.read_text(encoding="utf-8")))) for page in PAGES) > 80


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = [problem for command in documents.typed(text) for problem in documents.wrong_to_type(command)]
    found += [problem for command in documents.mentioned(text) for problem in documents.wrong_to_mention(command)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links(page: Path) -> None:
    assert not documents.broken_links(page)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("python deploy.py plan --env {environment}", ""),
        (".venv/bin/python deploy.py plan --env dev --local", ""),
        ("python deploy.py plan", "required"),
        ("python deploy.py plane --env dev", "no verb"),
        ("python deploy.py plan --env dev --quick", "no option"),
        ("aws acm describe-certificate --certificate-arn {certificate.CertificateArn}", ""),
        ("aws acm describe-certificates", "no operation"),
        ("python deploy.py publish --env dev --content DIR --quick", "there is no --quick"),
    ],
)
def test_what_the_checker_finds(command: str, problem: str) -> None:
    found = documents.wrong_to_type(command)
    assert bool(found) == bool(problem), found
    assert problem in "".join(found)


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = ROOT / "docs" / "runbooks" / "README.md"
    assert documents.anchors("# A `b` c\n## The zone") == {"a-b-c", "the-zone"}
    assert documents.anchors(page.read_text(encoding="utf-8")) == {"runbooks"}
