# make        set up .venv and build every environment into dist/
# make test   everything that must hold: style, types, architecture, tests with coverage, edge code
# make team   what a team that only edits environments/ needs: the gate, and the tests of its own files; seconds
# Other targets are the parts of these, and the rewriting of generated files.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: build setup test team format check unit edge functional browser attacks lint types architecture golden schema rules lock clean

build: setup
	$(BIN)/python build.py --env all

setup: $(STAMP)

$(STAMP): setup.cfg constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,test,dev]'
	touch $(STAMP)

test: check unit edge functional browser

team: setup
	$(BIN)/python build.py --env all
	$(BIN)/python -m pytest tests/unit/test_our_environments.py

# Rewrites the style of the sources; `make lint` looks at it.
format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup lint types architecture
	$(BIN)/python build.py --env all

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

architecture: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest tests/unit -n 2 --cov --cov-report=term:skip-covered

edge: setup
	node --test tests/edge/*.test.mjs

functional: setup
	$(BIN)/python -m pytest tests/functional -n 2

# Installs Debian's Chromium if it is missing, and builds the app of tests/app.
browser: setup
	tests/browser/setup.sh
	$(BIN)/python -m pytest tests/browser

# What somebody who means harm would try (SECURITY.md), alone: `make test` runs it with the unit and functional tests.
attacks: setup
	tests/browser/setup.sh
	$(BIN)/python -m pytest tests/unit tests/functional tests/browser -n 2 -m attack

# Rewrites the golden files; review the diff like code.
golden: setup
	GOLDEN_UPDATE=1 $(BIN)/python -m pytest tests/unit -k golden -q
	git --no-pager diff --stat -- tests/golden

# Rewrites the picture of the rooms in docs/architecture.md.
house: setup
	$(BIN)/python docs/house.py

schema: setup
	$(BIN)/python -m environments

rules: setup
	$(BIN)/python -m lint --rules > docs/lint-rules.md

lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --extra local --extra test --extra dev setup.cfg --output-file constraints.txt

clean:
	rm -rf dist .cache .local-aws
