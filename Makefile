# Everything that a newcomer or CI calls. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
UV := UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv
PYTEST := $(BIN)/python -m pytest
# With them a second start costs half: an environment that forbids compiled files is overruled.
export PYTHONDONTWRITEBYTECODE :=
export PATH := $(abspath $(BIN)):$(PATH)

# Stamp files: each step of the set-up runs again only when what it was made from has changed.
BOOTSTRAPPED := $(VENV)/.bootstrapped
INSTALLED := $(VENV)/.installed
NODE_READY := node_modules/.installed

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BOOTSTRAPPED): requirements/bootstrap.lock
	"$${PYTHON:-$$(scripts/find-python.sh)}" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

$(INSTALLED): $(BOOTSTRAPPED) requirements/dev.lock pyproject.toml
	$(UV) pip sync --quiet --require-hashes requirements/dev.lock requirements/bootstrap.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_READY): package.json package-lock.json $(INSTALLED)
	$(BIN)/npm ci --loglevel error --no-progress
	@touch $@

.PHONY: setup
setup: $(INSTALLED) $(NODE_READY) ## Make .venv and node_modules (idempotent)

.PHONY: demo
demo: setup ## Real purchases through the whole product, on this machine
	$(BIN)/stamgast demo

# What waits for the emulator, browsers, Node and other processes takes a lane of its own, after the
# types: beside it two workers compute, and both lanes end at about the same time.
WAITING := $(addprefix tests/,bench cli clients contracts demo docs functions infra local)

.PHONY: test
test: style ## Lint and all tests but the deep ones
	@$(MAKE) --no-print-directory --jobs 2 test-computing test-waiting

# The emulator's tests have a process of their own: moto's could not take its endpoint away again.
.PHONY: test-waiting
test-waiting: types setup
	$(PYTEST) -m "not deep" -q -n 1 --dist loadscope tests/e2e
	$(PYTEST) -m "not deep" -q -n 1 --dist loadgroup $(WAITING)

.PHONY: test-computing
test-computing: $(INSTALLED)
	$(PYTEST) -m "not deep" $(addprefix --ignore=,tests/e2e $(WAITING)) -n 2 --dist loadgroup

.PHONY: test-unit
test-unit: setup ## The unit tests alone
	$(PYTEST) -m "not deep" -n 2 tests/unit

.PHONY: test-e2e
test-e2e: setup ## The tests on the emulator alone
	$(PYTEST) -m "not deep" -n 2 --dist loadscope tests/e2e

.PHONY: test-deep
test-deep: setup ## What runs for hours: 100,000 schedules, wide property tests
	$(PYTEST) -m deep -n 2 --dist worksteal tests
	$(PYTEST) -m "not deep" -n 2 --hypothesis-profile wide tests/unit tests/laws tests/parity tests/contracts

.PHONY: lint
lint: style types ## Format, lint, types and import contracts, without changing a file

.PHONY: style
style: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: $(INSTALLED)
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: setup ## Format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command "make locks"

.PHONY: locks
locks: $(BOOTSTRAPPED) ## Resolve the requirements anew and write the hashed locks
	echo uv | $(COMPILE) --python-version 3.11 - -o requirements/bootstrap.lock
	$(COMPILE) --python-version 3.11 --all-extras --group dev pyproject.toml -o requirements/dev.lock
	for layer in api lake learn; do \
	  $(COMPILE) --python-version 3.13 --extra $$layer -c requirements/dev.lock \
	    pyproject.toml -o requirements/layer-$$layer.lock; \
	done

.PHONY: layers
layers: setup ## Put the third-party layers together for Lambda (Python 3.13, arm64), without Docker
	$(BIN)/python -m infra.wheels

.PHONY: bench
bench: setup ## Measure every number that the README states
	for bench in bench/*.py; do $(BIN)/python "$$bench"; done

.PHONY: clean
clean: ## Remove what was made here, except the local data (stamgast down --wipe)
	rm -rf $(VENV) node_modules cdk.out build .mypy_cache .ruff_cache .pytest_cache .hypothesis
