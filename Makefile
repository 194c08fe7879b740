# Beffroi. `make demo` and `make test` set up everything they need; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help demo test lint types unit soak bench dashboards screenshots lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime ## a make-believe city on real parts; ARGS="--seconds 30 --json" passes options on
	@$(BIN)/beffroi demo $(ARGS)

test: lint types unit ## lint, types, import contracts and every test, on a real TimescaleDB and Mosquitto

lint: $(VENV)/.dev ## style and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev ## strict types
	$(BIN)/mypy

# Workers, each with servers of its own, take unit tests one by one and the others file by file.
# Tests marked `serial` in the last three folders measure time, or kill what they started; they come
# last and alone. Tests of the board marked `soak` take minutes and run with the soak.
unit: $(VENV)/.dev ## every test; ARGS="-k words" chooses
ifeq ($(strip $(ARGS)),)
	$(BIN)/python -m pytest -n 2 tests/unit
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak" tests/board tests/figures tests/grafana tests/live
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not serial" tests/acceptance tests/docs tests/integration
	$(BIN)/python -m pytest -m serial tests/acceptance tests/docs tests/integration
else
	$(BIN)/python -m pytest $(ARGS)
endif

soak: $(VENV)/.dev ## a hundred faults on purpose, then the board in full; ARGS="--seed 7" strikes the same way again
	$(BIN)/python -m tests.faults.soak $(ARGS)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m soak tests/board
	$(BIN)/python -m tests.board.matrix

bench: $(VENV)/.dev ## every benchmark, as ratios taken in one run
	$(BIN)/python tests/benchmarks/store_path.py
	$(BIN)/python tests/benchmarks/drain.py
	$(BIN)/python tests/benchmarks/sources.py
	$(BIN)/python tests/benchmarks/window.py
	$(BIN)/python tests/benchmarks/rollup_day.py
	$(BIN)/python -m tests.benchmarks.rollup_quarters
	$(BIN)/python -m tests.benchmarks.hourly_indicators
	$(BIN)/python -m tests.benchmarks.late_refresh
	$(BIN)/python -m tests.benchmarks.grafana_panels
	$(BIN)/python -m tests.benchmarks.formats
	$(BIN)/python tests/benchmarks/kernels.py
	$(BIN)/python -m tests.benchmarks.fuzz
	$(BIN)/python tests/benchmarks/start.py
	$(BIN)/python -m tests.benchmarks.outage --minutes 1
	$(BIN)/python -m tests.benchmarks.broker_crash --kills 2 --messages 5000
	$(BIN)/python -m tests.benchmarks.ecoindex
	$(BIN)/python -m tests.benchmarks.board_path
	$(BIN)/python -m tests.benchmarks.board_watchers

dashboards: $(VENV)/.runtime ## build the Grafana dashboards anew from the catalogue
	$(BIN)/python -m dashboards build

screenshots: $(VENV)/.dev ## pictures of every view of the board, for the documents
	$(BIN)/python -m tests.board.screenshots $(ARGS)

lock: ## resolve dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.lock

clean: ## remove the virtual environment; fetched servers and data stay
	rm -rf $(VENV) build *.egg-info

# Debian's python3 may come without ensurepip; then pip comes as a package of its own.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "beffroi needs Python 3.11 or newer; this is $$($(PYTHON) --version). Set PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) …"
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	    $(PYTHON) -m venv $(VENV); \
	else \
	    $(PYTHON) -m venv --without-pip $(VENV); \
	    wheel=$$($(PYTHON) beffroi/embedded/packages.py pip); \
	    PYTHONPATH="$$wheel" $(VENV)/bin/python -m pip install -q --no-index "$$wheel"; \
	fi

$(VENV)/.runtime: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing locked dependencies …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing locked tools for development …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
