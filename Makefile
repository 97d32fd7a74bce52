# Every target prepares what it needs; `make` alone lists them.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
READY := .venv/.stamp

# May be given in front of make or behind it.
export PORT SANDBOX_PORT DEMO_USER DEMO_PASSWORD

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset demo-smoke test test-faults e2e bench screenshots lint fix lock requirements clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## a virtual environment with the pinned, hash-checked packages

$(READY): requirements-dev.txt requirements-uv.txt
	@PYTHON="$(PYTHON)" tools/setup.sh

demo: $(READY)  ## everything on this machine, with a stand-in for HubSpot; Ctrl-C stops it
	@exec $(PY) -m tools.demo

demo-reset: $(READY)  ## forget the demo's data
	@$(PY) -m tools.demo --reset

demo-smoke: $(READY)  ## the demo on free ports, checked by a program
	@exec $(PY) -m tools.demo_smoke

test: $(READY)  ## all tests but those below, on SQLite; then those that ask its own database on PostgreSQL; with a real broker
	@echo "--- on SQLite"
	@$(PY) -m pytest -q -n 4 $(ARGS)
	@echo "--- on PostgreSQL"
	@$(PY) -m pytest -q -n 4 --postgres $(ARGS)

test-faults: $(READY)  ## tests that kill processes and break networks
	@$(PY) -m pytest -q -n 2 -m faults $(ARGS)

e2e: $(READY)  ## tests in a browser (installs a headless Chromium where there is none)
	@BROWSER_BIN="$$(tools/browser.sh)" && export BROWSER_BIN && $(PY) -m pytest -q -m e2e $(ARGS)

bench: $(READY)  ## records a second, API calls, CPU and memory of large syncs
	@exec $(PY) -m tools.bench $(ARGS)

screenshots: $(READY)  ## pictures of all pages into docs/screenshots
	@BROWSER_BIN="$$(tools/browser.sh)" && export BROWSER_BIN && exec $(PY) -m tools.screenshots $(ARGS)

lint: $(READY)  ## ruff, mypy, import-linter, djlint, migrations, settings of a production host
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint --lint --quiet templates
	@$(PY) -m tools.check_production

fix: $(READY)  ## what ruff can put right by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(READY)  ## renew the pins
	@for name in requirements requirements-dev requirements-uv; do \
	  $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header $$name.in -o $$name.txt || exit 1; done
	@! grep -nE 'https?:|file:|index-url|find-links' requirements*.txt

requirements: $(READY)  ## docs/requirements.md: what is promised, and the tests that prove it
	@$(PY) -m tools.requirements

clean:  ## remove what make has made here, the demo's data too
	@rm -rf .venv .demo .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .coverage staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
