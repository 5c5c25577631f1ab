# make demo   install cafsc and annotate the embedded simulated tumour
# make test   the whole test suite, in an environment of its own
# make docs   the pages of the catalogue, in docs/catalogue, and docs/columns.md
# make lock   pin every dependency again (needs uv)
# make clean  remove the environments and what the demo and the tests made

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test docs lock clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV ?= uv
VENV := .venv
TEST_VENV := .venv-test
DEMO := demo

# pip alone, with every file pinned by its hash; bytecode is made when a module is first used.
PIP := -m pip --disable-pip-version-check --quiet
LOCK := pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-strip-extras --custom-compile-command "make lock" --quiet

help:
	@sed -n 's/^# make/make/p' Makefile

# $(call install,ENVIRONMENT,LOCK)
define install
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed, and no python3 was found" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Python 3.11 or newer is needed; give one with PYTHON=..." >&2; exit 2; }
	@echo "installing into $(1) (about a minute)" >&2
	@$(PYTHON) -m venv --clear $(1) || \
		{ echo "make: python3-venv is needed: apt-get install python3-venv" >&2; exit 2; }
	@$(1)/bin/python $(PIP) install --no-compile --require-hashes -r $(2)
	@$(1)/bin/python $(PIP) install --no-compile --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.installed: requirements.lock pyproject.toml
	$(call install,$(VENV),requirements.lock)

$(TEST_VENV)/.installed: requirements-test.lock pyproject.toml
	$(call install,$(TEST_VENV),requirements-test.lock)

demo: $(VENV)/.installed
	@mkdir -p $(DEMO)
	@$(VENV)/bin/cafsc data demo -o $(DEMO)/simulated_tumour.h5ad --force
	@$(VENV)/bin/cafsc annotate $(DEMO)/simulated_tumour.h5ad --cancer breast --force
	@echo "report: $(DEMO)/simulated_tumour.cafsc/report.html"

# Real datasets are tested where they can be had. CI_FAST leaves the slow tests out.
test: $(TEST_VENV)/.installed
	@if [ -z "$${CAFSC_DATA_DIR:-}" ] && [ -d ../shared/data ]; then \
		CAFSC_DATA_DIR=$$(cd ../shared/data && pwd); export CAFSC_DATA_DIR; fi; \
	MPLBACKEND=Agg $(TEST_VENV)/bin/python -m pytest -n 2 --dist loadfile $(if $(CI_FAST),-m "not slow") $(PYTEST_ARGS)

docs: $(VENV)/.installed
	@$(VENV)/bin/python tools/make_catalogue_docs.py
	@$(VENV)/bin/python tools/make_columns_doc.py

lock:
	$(UV) $(LOCK) --group test -o requirements-test.lock
	$(UV) $(LOCK) --group build --constraint requirements-test.lock -o requirements.lock

clean:
	rm -rf $(VENV) $(TEST_VENV) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache .snakemake
