# make setup | test | ci | test-all | demo | bench | lint | dist: everything runs in .venv, which is made on first use.

.PHONY: setup test ci test-all cases slow-cases all-cases demo bench lint style types dist clean
.DEFAULT_GOAL := test

# The first Python from 3.11 to 3.13 that is there; PYTHON=... chooses another.
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
NEEDS_PYTHON = @test -n "$(PYTHON)" || \
	{ echo "error: no Python 3.11 to 3.13 found; pass PYTHON=..." >&2; exit 2; }
BIN := .venv/bin

setup: .venv/installed

# Packages are compiled as they are imported: all of them take 46 s of 117.
.venv/installed: setup.cfg pyproject.toml constraints.txt
	$(NEEDS_PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

# As tests/conftest.py orders the files: xdist would begin with those of the most cases.
IN_TURN := -n 2 --dist loadfile --no-loadscope-reorder

# Types are checked while tests run, which do not keep two cores busy all the time.
test: style
	@$(MAKE) --no-print-directory -j2 types cases

# What CI runs: with the slow ones, of which some need a browser and the package registry.
ci: style
	@$(MAKE) --no-print-directory -j2 types slow-cases

# The long forms, too: many kills, each Keras version, notebooks and README by TensorFlow.
test-all: style
	@$(MAKE) --no-print-directory -j2 types all-cases

# What tests start reads modules that are compiled already.
unexport PYTHONDONTWRITEBYTECODE

cases: setup
	$(BIN)/python -m pytest $(IN_TURN)

slow-cases: setup
	$(BIN)/python -m pytest $(IN_TURN) -m "not soak"

all-cases: setup
	$(BIN)/python -m pytest $(IN_TURN) -m ""

lint: style types

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# A small search and confirm of the open space on the built-in digits, in under five minutes on two
# cores; a second call goes on with the first one's project.
demo: setup
	$(BIN)/python -m svhn_tune search --space cnn_open --data builtin --project demo \
		--max-epochs 9 --train-images 4000 --time-limit 90s
	$(BIN)/python -m svhn_tune confirm --project demo --top 1 --runs 3 --epochs 2

# Every figure of the README: an hour on two cores.
bench: setup
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/size.py
	$(BIN)/python benchmarks/survival.py
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/confirm_statistics.py
	$(BIN)/python benchmarks/report.py

# dist/ has a wheel and an sdist, ready for an index; their tools are in an environment of their own.
dist:
	$(NEEDS_PYTHON)
	rm -rf dist build
	$(PYTHON) -m venv build/venv
	build/venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt build twine
	build/venv/bin/python -m build --outdir dist
	build/venv/bin/python -m twine check --strict dist/*

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
