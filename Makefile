# For a fresh machine with nothing but Python 3.11+ and make:
#
#   make demo    replay the incident on a server of its own, and print the plan
#   make test    lint, types, import contract, all tests
#   make output  render what is in output/ from output/observed.json
#
# The environment is .venv, made with the newest Python found; another: make demo PYTHON=python3.12

PYTHONS := python3.14 python3.13 python3.12 python3.11 python3 python
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in $(PYTHONS); do \
	if $$python -c "$(USABLE)" >/dev/null 2>&1; then echo $$python; break; fi; done)

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= auto

.PHONY: help demo test output lint types imports tests format clean

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.demo
	$(BIN)/cascade demo

test: lint types imports tests

output: $(VENV)/.demo
	$(BIN)/python -m tests.output

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

tests: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) cascade-demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The stamps say what is installed; only a change of pyproject.toml installs again.
$(VENV)/.demo: pyproject.toml $(BIN)/python
	$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(BIN)/python
	$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.demo

$(BIN)/python:
	@$(or $(PYTHON),false) -c "$(USABLE)" 2>/dev/null || { \
		echo "make: no Python 3.11 or newer that can make a virtual environment was found$(if $(PYTHON), as '$(PYTHON)')." >&2; \
		echo "      On Debian and Ubuntu:  apt-get install python3 python3-venv" >&2; \
		echo "      If it has another name:  make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
