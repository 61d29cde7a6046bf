# Playhead: every recipe works on a fresh machine with git, make and Python (with pip).
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2

.PHONY: help setup demo test test-fast lint format types layers conformance bench soak clean

help: ## list the recipes
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(READY): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Playhead needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once; about 180 MB to download) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## make the environment in .venv

demo: $(READY) ## start Playhead with simulated viewers and show live numbers
	@exec $(BIN)/playhead demo $(ARGS)

test: $(READY) lint types layers ## check and run every test
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

test-fast: $(READY) ## only the tests without processes
	@$(BIN)/python -m pytest tests/unit tests/property tests/rules $(ARGS)

lint: $(READY) ## ruff, on code and layout
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(READY) ## let ruff mend what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

layers: $(READY) ## the river: who may import whom
	@$(BIN)/lint-imports

conformance: $(READY) ## run the conformance cases of projects and print the score
	@PYTHONPATH=tests $(BIN)/python -m conformance $(ARGS)

bench: $(READY) ## measure the budget table on this machine (docs/performance.md)
	@$(BIN)/python -m tests.bench $(ARGS)

soak: $(READY) ## a million hostile inputs, then load with kills for an hour (SECONDS_SOAK=3600)
	@$(BIN)/python -m tests.bench --fuzz $(or $(INPUTS_SOAK),1000000) --soak $(or $(SECONDS_SOAK),3600) $(ARGS)

clean: ## remove the environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
