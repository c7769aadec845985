# make        set up .venv and build every environment into dist/
# make test   everything that must hold: style, types, architecture, tests with coverage, edge code
# make team   what a team that only edits environments/ needs: the gate, and the tests of its own files; seconds
# Other targets are the parts of these, and the rewriting of generated files.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# What the caller tells pip about indexes, proxies and certificates counts; where it would install to does not: that is .venv, and whole.
export PIP_USER := 0
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_REQUIRE_VIRTUALENV PIP_DRY_RUN PIP_NO_DEPS PIP_CONSTRAINT PIP_REQUIREMENT
unexport PYTHONHOME PYTHONPATH NODE_OPTIONS

.PHONY: build setup test team format check unit mutants edge functional second late browser attacks acceptance lint types architecture golden schema rules reference release lock clean edits

build: setup
	$(BIN)/python build.py --env all

setup: $(STAMP)

$(STAMP): setup.cfg constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@told=$$($(BIN)/python -m pip config list | grep -E '^(global|install)\.(target|prefix|root)=') || exit 0; \
	  echo "error: a pip.conf says where packages go, which no option takes back: $$told"; echo "  next: PIP_CONFIG_FILE=/dev/null make"; exit 1
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

# Puts small faults into the product, a sample by SEED, and tells which of them no unit test notices (docs/mutants.md): an hour, alone.
SEED ?= 1
mutants: setup
	$(BIN)/python -m tests.mutants --measure tests/unit --seed $(SEED)

edge: setup
	node --test tests/edge/*.test.mjs

# They wait for processes and servers half of their time. A module that deploys something for all its tests is one group: one process runs it.
# tests/second: the same command lines against moto.
functional: setup
	$(BIN)/python -m pytest tests/functional tests/second -n 4 --dist loadgroup

# moto alone, which shares no code with the local AWS.
second: setup
	$(BIN)/python -m pytest tests/second

# The whole life against an AWS that is late (late), for many seeds: of a small platform, then of dev. For the night.
SEEDS ?= 50
late: setup
	LATE_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/functional/test_late_aws.py -n 2
	$(BIN)/python -m tests.functional.late_life $(SEEDS)

# Installs Debian's Chromium if it is missing, and builds the app of tests/app.
browser: setup
	tests/browser/setup.sh
	$(BIN)/python -m pytest tests/browser

# What somebody who means harm would try (SECURITY.md), alone: `make test` runs it with the unit and functional tests.
attacks: setup
	tests/browser/setup.sh
	$(BIN)/python -m pytest tests/unit tests/functional tests/browser -n 2 -m attack

# The whole life of an environment on real AWS: make acceptance ENV=sandbox (acceptance/README.md).
acceptance: setup
	$(BIN)/python -m acceptance --env '$(ENV)' $(if $(LOCAL),--local) $(if $(YES),--yes) $(if $(CLEANUP),--clean-up) $(if $(RESTART),--restart) \
	  $(if $(OTHERS),--other-environments) $(if $(PROFILE),--profile '$(PROFILE)') $(if $(STANDBY),--standby '$(STANDBY)') \
	  $(if $(ENVIRONMENTS),--environments '$(ENVIRONMENTS)')

# Random edits of an environment file against a local AWS; for a night: make edits SEEDS=260
edits: setup
	$(BIN)/python -m tests.nightly.edits --edits $(SEEDS)

# Rewrites the golden files; review the diff like code.
golden: setup
	GOLDEN_UPDATE=1 $(BIN)/python -m pytest tests/unit -k golden -q
	git --no-pager diff --stat -- tests/golden

# Rewrites the picture of the rooms in docs/architecture.md.
house: setup
	$(BIN)/python docs/house.py

# Rewrites docs/reference: keys, commands, outputs, messages.
reference: setup
	$(BIN)/python docs/reference.py

# Closes the changelog, writes the version, commits and tags; pushes nothing: make release VERSION=1.2.0
release: setup
	$(BIN)/python docs/release.py '$(VERSION)'

schema: setup
	$(BIN)/python -m environments

# What the services' APIs take (constraints/), and the list of our lint rules.
rules: setup
	$(BIN)/python -m constraints.generate
	$(BIN)/python -m lint --rules > docs/lint-rules.md

lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --extra local --extra test --extra dev setup.cfg --output-file constraints.txt

clean:
	rm -rf dist .cache .local-aws
