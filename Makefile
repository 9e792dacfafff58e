# Everything a developer does here. `make` alone lists it.
#
# The first command creates `.venv` and installs netdef and its tools in it; nothing else on the
# machine is touched. Settings: `make test PYTHON=python3.12 JOBS=4`,
# `make bench BENCH_ROUNDS=9 BENCH_NETS="lenet resnet50" BENCH_PEERS=/path/to/python/with/torch`.

PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2
PYTEST ?=
BENCH_ROUNDS ?= 5
BENCH_NETS   ?=
BENCH_PEERS  ?=

BIN    := $(VENV)/bin
STAMP  := $(VENV)/.netdef-installed
DIGITS := models/digits
DATA   := $(DIGITS)/digits_test_lmdb/data.mdb

.DEFAULT_GOAL := help
.PHONY: help demo test check proto bench golden clean
.DELETE_ON_ERROR:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The stamp follows pyproject.toml: changed dependencies are installed by the next command.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "netdef needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	@test -x $(BIN)/python || { echo "creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing netdef and its tools in $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	@touch $@

demo: $(STAMP) $(DATA) ## draw, train, test and inspect the digits net
	$(BIN)/netdef draw $(DIGITS)/model.prototxt
	$(BIN)/netdef train $(DIGITS)/model.prototxt $(DIGITS)/solver.prototxt
	$(BIN)/netdef test $(DIGITS)/model.prototxt --iterations 3 \
	  --weights $$(ls -t $(DIGITS)/snapshots/*.caffemodel | head -n 1)
	$(BIN)/netdef inspect $$(ls -t $(DIGITS)/snapshots/*.solverstate | head -n 1)

# The last file that it writes.
$(DATA): $(DIGITS)/prepare.py $(DIGITS)/digits.csv.gz | $(STAMP)
	$(BIN)/python $(DIGITS)/prepare.py

# One BLAS thread: the test workers are the threads.
test: $(STAMP) ## all tests
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) $(PYTEST)

check: $(STAMP) ## lint, format, types, import order, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python proto/generate.py --check

proto: $(STAMP) ## generate the protobuf messages from proto/netdef.proto
	$(BIN)/python proto/generate.py

bench: $(STAMP) ## the tables of BENCHMARKS.md, a quarter of an hour
	@test -n "$(BENCH_PEERS)" || $(BIN)/python -m pip install --quiet --editable '.[bench]'
	BENCH_PEERS=$(BENCH_PEERS) $(BIN)/python -m benchmarks.report \
	  --rounds $(BENCH_ROUNDS) --nets $(BENCH_NETS)

golden: $(STAMP) ## rewrite the golden files; read their diff
	NETDEF_GOLDEN=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) $(PYTEST)
	git status --short tests

clean: ## remove what was built and trained; .venv stays
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf models/*/snapshots models/*/*_lmdb
	find netdef tests models benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
