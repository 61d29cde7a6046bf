# Playhead: every recipe works on a fresh machine with git, make and Python (with pip); those of the
# SDK for players and of the dashboard need Node 20 or newer as well, the film of the examples ffmpeg.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2
HAS_NODE := $(shell command -v npm >/dev/null && \
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null && echo yes)
NO_NODE := Node 20 or newer, with npm, is not on the PATH
files = $(shell find $(1) -type f -not -path '*/__pycache__/*' 2>/dev/null)
absent = $(if $(filter $(words $(1)),$(words $(wildcard $(1)))),,missing)
PLAYER_FILES := $(call files,player/src player/scripts) $(wildcard player/tsconfig*.json)
DASHBOARD_FILES := $(call files,dashboard/src dashboard/public) \
  $(addprefix dashboard/,index.html vite.config.ts svelte.config.js tsconfig.json)

.PHONY: help setup demo test test-fast lint format types layers compat conformance bench soak clean \
  player player-test dashboard dashboard-test pages pages-tested browser-tested examples e2e missing

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

player: player/.built ## build the SDK for players (needs Node)

player-test: player/.built ## the SDK's types, tests, size budget and public API
	@cd player && npm run --silent types && npm test --silent && npm run --silent size && npm run --silent api

dashboard: dashboard/.built ## build the dashboard (needs Node)

dashboard-test: dashboard/.built ## the dashboard's types and unit tests
	@cd dashboard && npm run --silent types && npm test --silent

examples: ## make the film of the example pages (needs ffmpeg)
	@$(PYTHON) examples/make_media.py examples/media

e2e: $(READY) player examples ## real players in a real browser (needs Node, ffmpeg, Chromium)
	@PLAYHEAD_REQUIRE_PLAYER=1 PLAYHEAD_REQUIRE_BROWSER=1 PLAYHEAD_FULL=1 $(BIN)/python -m pytest tests/e2e $(ARGS)

%/node_modules/.ready: %/package.json %/package-lock.json %/.npmrc
	@test -n "$(HAS_NODE)" || { echo "$(NO_NODE)."; exit 1; }
	@echo "Fetching what $* is built with (once) ..."
	@cd $* && npm ci --no-progress --loglevel=error
	@touch $@

player/.built: player/node_modules/.ready $(PLAYER_FILES) examples/copy_libraries.py \
  $(call absent,player/dist/playhead.js examples/lib/versions.json)
	@cd player && npm run --silent build
	@$(PYTHON) examples/copy_libraries.py
	@touch $@

dashboard/.built: dashboard/node_modules/.ready $(DASHBOARD_FILES) $(call absent,dashboard/dist/index.html)
	@cd dashboard && npm run --silent build -- --logLevel warn
	@touch $@

.PRECIOUS: %/node_modules/.ready
missing: # a build that somebody removed

# The demo is worth seeing without what Node builds: the plain page stands in for the dashboard.
pages:
ifeq ($(HAS_NODE),yes)
	@$(MAKE) --no-print-directory player dashboard || \
	  echo "Going on without what could not be built: /sdk, /examples and the dashboard need it."
else
	@test -e player/.built -a -e dashboard/.built || \
	  echo "$(NO_NODE): going on without /sdk, /examples and the dashboard."
endif

pages-tested:
ifeq ($(HAS_NODE),yes)
	@$(MAKE) --no-print-directory player-test dashboard-test
else
	@test -z "$(PLAYHEAD_REQUIRE_PLAYER)" || { echo "$(NO_NODE), and PLAYHEAD_REQUIRE_PLAYER asks for it."; exit 1; }
	@echo "########  SKIPPED: the tests of the SDK and the dashboard. $(NO_NODE).  ########"
endif

demo: $(READY) pages ## start Playhead with simulated viewers and show live numbers
	@exec $(BIN)/playhead demo $(ARGS)

test: $(READY) lint types layers pages-tested ## check and run every test
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(if $(ARGS),$(ARGS),--ignore=tests/e2e)
	@$(if $(ARGS),true,$(MAKE) --no-print-directory browser-tested)

# Played in real time: not beside other tests, and what a busy moment spoiled is played once more.
browser-tested: $(READY)
	@$(BIN)/python -m pytest tests/e2e || $(BIN)/python -m pytest tests/e2e --last-failed

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

compat: $(READY) ## the unmodified tb client against a running server (about 80 MB to download, once)
	@PLAYHEAD_REQUIRE_TB=1 $(BIN)/python -m pytest tests/compat $(ARGS)

conformance: $(READY) ## run the conformance cases of projects and print the score
	@PYTHONPATH=tests $(BIN)/python -m conformance $(ARGS)

bench: $(READY) ## measure the budget table on this machine (docs/performance.md)
	@$(BIN)/python -m tests.bench $(ARGS)

soak: $(READY) ## a million hostile inputs; an hour of load with 200 kills, clock jumps, full disks (SECONDS_SOAK=3600)
	@$(BIN)/python -m tests.bench --fuzz $(or $(INPUTS_SOAK),1000000) --soak $(or $(SECONDS_SOAK),3600) \
	  --report docs/soak.md $(ARGS)

clean: ## remove the environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist \
	  {player,dashboard}/{node_modules,dist,.build,.built} examples/{lib,media}
