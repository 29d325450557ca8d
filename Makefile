BIN := .venv/bin

.PHONY: help sweep install test test-versions test-other-version lint bench modules schema clean

help:                             ## this list
	@awk -F ':.*## *' '/^[a-z-]+:.*## / {printf "make %-19s %s\n", $$1, $$2}' Makefile

sweep: .venv/installed            ## install, then sweep the built-in spoken words
	$(BIN)/sweep run search_spaces/quickstart.yaml

install: .venv/installed-test     ## what developing needs

test: .venv/installed-test lint   ## every check
	@command -v chromium >/dev/null || ./tests/install_browser
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-versions:                    ## from a wheel to a prediction, on each Python found
	./tests/walk_versions $(PYTHONS)

test-other-version: .venv/installed ## the same on one Python, other than that of .venv
	./tests/walk_versions --besides $(BIN)/python $(PYTHONS)

lint: .venv/installed-test        ## format, imports, style and types
	$(BIN)/black --quiet --check --line-length 100 sweep tests benchmarks
	$(BIN)/isort --quiet --check sweep tests benchmarks
	$(BIN)/flake8 sweep tests benchmarks
	$(BIN)/mypy

bench: .venv/installed            ## milliseconds a stage; SPEECH_COMMANDS names the recordings
	$(BIN)/python benchmarks/stages.py

modules: .venv/installed          ## a line for each module, in the order of imports
	$(BIN)/python -m tests.modules

schema: .venv/installed           ## the JSON schema that editors read
	$(BIN)/python -m sweep.schema > search_spaces/schema.json

clean:                            ## remove what was installed and built
	rm -rf .venv build *.egg-info

# A name on the PATH may be there and not work; make takes the text of a shell that ends in 127 for
# an error.
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHONS = $(shell for name in python3.13 python3.12 python3.11 python3 \
	$$(ls -rd $$(pyenv root 2>/dev/null)/versions/*/bin/python 2>/dev/null); do \
	$$name -c '$(FITS)' 2>/dev/null && echo $$name; done; true)
PYTHON ?= $(firstword $(PYTHONS))

# Modules are compiled on first import, as most of TensorFlow never is; that has to be kept.
unexport PYTHONDONTWRITEBYTECODE
PIP_INSTALL = @$(BIN)/pip install --quiet --no-compile --editable
UNREACHABLE = $(call fail,pip could not install; is the package index within reach?)
fail = || { echo "make: $(1)" >&2; exit 1; }

.venv/installed: setup.cfg pyproject.toml | .venv/bin/pip
	$(PIP_INSTALL) '.[train,serve]' $(UNREACHABLE)
	@touch $@

.venv/installed-test: setup.cfg pyproject.toml | .venv/bin/pip
	$(PIP_INSTALL) '.[test]' $(UNREACHABLE)
	@touch .venv/installed $@

.venv/bin/pip:
	@test -n '$(PYTHON)' $(call fail,no Python 3.11 to 3.13 on the PATH; name one: make PYTHON=FILE)
	@'$(PYTHON)' -c '$(FITS)' $(call fail,$(PYTHON) is no Python 3.11 to 3.13)
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null \
		$(call fail,$(PYTHON) has no venv; on Debian and Ubuntu: apt install python3-venv)
	@'$(PYTHON)' -m venv .venv
