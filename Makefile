PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: sweep test lint schema clean

sweep: .venv/installed            ## the main job on the built-in data
	$(BIN)/sweep run search_spaces/quickstart.yaml

test: .venv/installed-test lint   ## every check
	@command -v chromium >/dev/null || ./tests/install_browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed-test
	$(BIN)/black --quiet --check --line-length 100 sweep tests benchmarks
	$(BIN)/isort --quiet --check sweep tests benchmarks
	$(BIN)/flake8 sweep tests benchmarks
	$(BIN)/mypy

schema: .venv/installed           ## the JSON schema editors read
	$(BIN)/python -m sweep.spec > search_spaces/schema.json

clean:
	rm -rf .venv build *.egg-info

# Compiled when it is first imported, as of TensorFlow most never is; then it has to be kept.
unexport PYTHONDONTWRITEBYTECODE
INSTALL = $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --no-compile --editable

.venv/installed: setup.cfg pyproject.toml
	$(INSTALL) .
	touch $@

.venv/installed-test: setup.cfg pyproject.toml
	$(INSTALL) '.[test]'
	touch .venv/installed $@
