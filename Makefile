# Needs make and any Python 3.11 or later; everything else is brought here, into .venv and .uv.
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export BENTOML_DO_NOT_TRACK := True
export UV_PROJECT_ENVIRONMENT := .venv
# The tests start hundreds of processes: none should compile the libraries anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= >=3.11
WORKERS ?= 2
ARGS ?=

BIN := .venv/bin
STAMP := .venv/.made-from-lock
# A uv on PATH may be a shim without a uv behind it, so it has to answer before it counts.
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .uv/bin/uv)

.PHONY: help
help:  ## Show this help
	@echo "Usage: make TARGET"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Settings: PYTHON="$(PYTHON)" (which Python uv takes), WORKERS=$(WORKERS) (test processes),'
	@echo '          ARGS= (passed on, as in: make demo ARGS="--accounts 500")'

.PHONY: setup
setup: $(STAMP)  ## Make .venv with uv from the lock file (nothing happens when it is up to date)

$(STAMP): pyproject.toml uv.lock | $(filter .uv/%,$(UV))
	$(UV) sync --locked --python "$(PYTHON)"
	@touch $@

.uv/bin/uv:
	@python=$$(command -v python3 || command -v python3.11 || command -v python) \
	  || { echo "make: no python3 on PATH; install Python 3.11 or later" >&2; exit 1; }; \
	echo "uv is not on PATH: installing it into .uv"; \
	rm -rf .uv; \
	{ "$$python" -m venv .uv >/dev/null 2>&1 && .uv/bin/python -m pip install --quiet uv; } \
	  || { rm -rf .uv; "$$python" -m pip install --quiet --target .uv uv; } \
	  || { rm -rf .uv; echo "make: $$python has neither venv nor pip; install uv (https://docs.astral.sh/uv)" >&2; exit 1; }
	@test -x $@

.PHONY: demo
demo: $(STAMP)  ## Run the whole road on the built-in world: data, model, scores, report
	@$(BIN)/tenure demo $(ARGS)

.PHONY: test
test: $(STAMP)  ## Run every test but the acceptance runs (several minutes)
	$(BIN)/python -m pytest -m "not acceptance" -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-fast
test-fast: $(STAMP)  ## Run the tests that take a second or less each
	$(BIN)/python -m pytest -m "not acceptance and not slow and not browser and not server" \
	  -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: test-feature
test-feature: $(STAMP)  ## Run what a new feature has to pass: its SQL, the cut, the house rules
	$(BIN)/python -m pytest tests/features/test_golden.py tests/contract/test_features.py tests/house \
	  -n $(WORKERS) $(ARGS)

.PHONY: lint
lint: $(STAMP)  ## Check format, style, types and the direction of imports
	@failed=; \
	for check in "ruff format --check" "ruff check" "mypy" "lint-imports"; do \
	  echo "== $$check"; $(BIN)/$$check || failed="$$failed [$$check]"; \
	done; \
	if [ -n "$$failed" ]; then echo "lint failed:$$failed" >&2; exit 1; fi

.PHONY: format
format: $(STAMP)  ## Rewrite the code into the house format and fix what can be fixed safely
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

.PHONY: acceptance
acceptance: $(STAMP)  ## Run the long checks and the benchmarks; write docs/acceptance.md
	$(BIN)/python benchmarks/acceptance.py $(ARGS)

.PHONY: results
results: $(STAMP)  ## Run the data sets from outside; write docs/results.md
	$(BIN)/python benchmarks/results.py $(ARGS)

.PHONY: docs
docs: $(STAMP)  ## Write the reference pages from the declarations
	$(BIN)/python docs/generate.py

.PHONY: notebooks
notebooks: $(STAMP)  ## Execute the notebooks in place, so that they show today's output
	cd notebooks && ../$(BIN)/jupyter-execute --inplace *.ipynb

.PHONY: lock
lock: | $(filter .uv/%,$(UV))  ## Bring uv.lock up to date with pyproject.toml
	$(UV) lock

.PHONY: clean
clean:  ## Delete environments and caches; keep models, runs and data
	rm -rf .venv .uv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
