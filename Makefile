# Thin: every target sets up .venv by itself, then calls one command. `make` alone prints help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROFILE ?= release
SET ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup loadtest smoke soak gate calibrate mocks ui report runs bench faults faults-hang test lint format lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## create or refresh .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "loadgate needs Python >= 3.11, $(PYTHON) is older; try make PYTHON=python3.12"; exit 2; }
	@echo "setting up $(VENV) (once, about a minute)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

loadtest: $(READY) ## load-test before a release (PROFILE=release, SET="key=value ...")
	@$(BIN)/loadgate run $(PROFILE) $(foreach pair,$(SET),--set $(pair))

smoke: ## half a minute through the whole chain
	@$(MAKE) --no-print-directory loadtest PROFILE=smoke

soak: ## one hour: leaks and slowly filling pools
	@$(MAKE) --no-print-directory loadtest PROFILE=soak

gate: $(READY) ## is this tree slower than where it left the main branch? (SET=..., ARGS="--base ref:v1")
	@$(BIN)/loadgate gate $(ARGS) $(foreach pair,$(SET),--set $(pair))

mocks: $(READY) ## the four mock services on ports 8001 to 8004
	@$(BIN)/loadgate mocks

ui: $(READY) ## Locust's web UI on the checkout flow (start `make mocks` first)
	@$(BIN)/locust -f locustfiles/checkout_flow.py --web-host 127.0.0.1 $(ARGS)

report: $(READY) ## print the newest run's report
	@$(BIN)/loadgate report

runs: $(READY) ## list recorded runs
	@$(BIN)/loadgate runs

calibrate: $(READY) ## how often this host's gates are wrong: 30 equal arms, 20 at +20 % (hours)
	@$(BIN)/loadgate calibrate $(or $(ARGS),--aa 30 --inject p99=+20% --gates 20)

bench: $(READY) ## figures about loadgate itself, with peers (about 20 minutes, quiet machine)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

faults: $(READY) ## break everything on purpose, and see what comes out (about 23 minutes)
	@$(BIN)/python -m tests.faults $(ARGS)

faults-hang: $(READY) ## shares of requests that never answer, in both models (25 minutes at most)
	@$(BIN)/python -m tests.faults.hang

test: $(READY) ## all tests; those under load afterwards, two at a time
	@$(BIN)/python -m pytest --numprocesses 4 --dist worksteal -m "not live"
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m live

lint: $(READY) ## formatting, lint and types; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(READY) ## write formatting and safe lint fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile --universal --python-version 3.11 --extra dev --no-emit-index-url \
		--no-header --quiet --output-file requirements.lock pyproject.toml

clean: ## remove .venv and caches; runs/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
