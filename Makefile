# What a person can do here. Every target does its own set-up on first use.
PYTHON ?= python3
BIN := .venv/bin
PACKAGES := libs/csm_common libs/csm_cli services/ingest services/health-score services/playbooks services/notifier
SOURCES := $(PACKAGES) tests benchmarks
# Two at a time: a file is never split, since its tests may share servers.
PARALLEL := -n 2 --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: help install run test check unit integration e2e format lock contracts clean

help: ## List what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/installed: requirements.lock $(addsuffix /pyproject.toml,$(PACKAGES)) | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

install: .venv/installed ## Make .venv with the csm command in it

run: install ## Start the whole product with a small demo set; Ctrl-C ends it
	$(BIN)/csm up

test: check unit integration e2e ## All checks and all test tiers

check: .venv/installed-dev ## Lint, types and import rules
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

unit: .venv/installed-dev ## The fast tier: pure code and fakes
	$(BIN)/pytest tests/unit $(PARALLEL)

integration: .venv/installed-dev ## Real PostgreSQL, the embedded broker and Apache Kafka
	$(BIN)/pytest tests/integration $(PARALLEL)

e2e: .venv/installed-dev ## The whole stack as real processes
	$(BIN)/pytest tests/e2e $(PARALLEL)

format: .venv/installed-dev ## Format and mend what can be mended
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: .venv/installed-dev ## Resolve the lock files anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet --upgrade requirements.in -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet --upgrade requirements-dev.in -o requirements-dev.lock -c requirements.lock

clean: ## Remove the virtual environment and the stack's data
	rm -rf .venv .csm
