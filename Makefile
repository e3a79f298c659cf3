# Everything a developer and CI do. Each target is idempotent: what is up to date is not done again.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
export PATH := $(CURDIR)/$(BIN):$(PATH)
MODEL := qwen2.5-coder-1.5b
FRONT := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) labextension/tsconfig.json
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
QUESTION := Which penguin species is heaviest, and is the difference real? Plot it.

.PHONY: help install lab demo test check bench faults fuzz audit wheel types lock format model clean

help:  ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/package  ## Install everything into .venv and build the labextension.

lab: install model  ## Start JupyterLab with an example notebook and the sidebar.
	cd examples && ../$(BIN)/jupyter lab --ip=127.0.0.1 $(ROOT) $(LAB_FLAGS) penguins.ipynb

demo: install model  ## Work a question on the terminal; leaves demo.ipynb.
	$(BIN)/datarus run "$(QUESTION)" --data examples/penguins.csv --notebook demo.ipynb

model: install
	$(BIN)/datarus models pull $(MODEL)

test: install model .venv-vllm/installed  ## Run all tests: units, real kernels, real engines, real browser.
	$(BIN)/datarus models pull smollm2-135m
	$(BIN)/jlpm test
	$(BIN)/pytest --cov --cov-report=term:skip-covered $(PYTEST_FLAGS)

check: install  ## Lint, types, formats, generated files.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python labextension/generate_types.py --check
	$(BIN)/jlpm lint
	$(BIN)/jlpm typecheck

bench: install .venv-vllm/installed model  ## Measure; writes benchmarks/results.json.
	$(BIN)/python -m benchmarks

fuzz: install .venv-fuzz/installed  ## Fuzz the parsers, SECONDS_EACH (60) a target.
	.venv-fuzz/bin/python -m fuzz $(or $(SECONDS_EACH),60)

audit: .venv-audit/installed node_modules/.installed  ## Look the dependencies up in the databases of known vulnerabilities.
	.ci/audit

faults: install  ## Bring all faults about (SEED=… RUNS=200 TIMES=3); writes docs/reliability.md.
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) $(if $(TIMES),--times $(TIMES))

wheel: install  ## Build the wheel into dist/.
	$(BIN)/python -m build --wheel

types: install  ## Generate the TypeScript types of the events.
	$(BIN)/python labextension/generate_types.py

lock:  ## Resolve the development dependencies anew into requirements.lock.
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --upgrade --extra dev --universal --python-version 3.11 \
		--no-header --no-annotate --output-file requirements.lock

format: install  ## Format all sources.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/jlpm lint:fix

clean:  ## Remove what was built; the environments and models stay.
	rm -rf dist labextension/lib datarus_jupyter/labextension $(VENV)/package $(VENV)/front

$(VENV)/dependencies: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -r requirements.lock
	touch $@

node_modules/.installed: package.json yarn.lock .yarnrc.yml $(VENV)/dependencies
	$(BIN)/jlpm install --immutable
	touch $@

$(VENV)/front: node_modules/.installed $(FRONT)
	$(BIN)/jlpm build:prod
	touch $@

$(VENV)/package: pyproject.toml $(VENV)/front
	HATCH_BUILD_NO_HOOKS=true $(BIN)/pip install --quiet --no-build-isolation --no-deps --editable .
	$(BIN)/jupyter-builder develop --overwrite .
	# The extra [rtc] and Notebook 7 are here for the tests that ask for them; Lab is as it is for who has neither.
	$(BIN)/jupyter server extension disable --sys-prefix jupyter_server_ydoc
	$(BIN)/jupyter labextension disable --level=sys_prefix @jupyter/docprovider-extension
	$(BIN)/jupyter labextension disable --level=sys_prefix @jupyter-notebook/lab-extension
	touch $@

.venv-fuzz/installed: requirements.lock
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/pip install --quiet atheris==3.0.0 -r requirements.lock
	touch $@

.venv-audit/installed: $(VENV)/dependencies
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet "pip-audit>=2.9,<3"
	touch $@

# vLLM's dependencies and the development set exclude each other, so it has an environment of its own.
.venv-vllm/installed: tests/engines/vllm.lock
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/pip install --quiet --upgrade pip
	.venv-vllm/bin/pip install --quiet torch==2.13.0
	.venv-vllm/bin/pip install --quiet --no-deps -r tests/engines/vllm.lock
	touch $@
