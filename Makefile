# Thin: every target sets up .venv by itself, then calls one command. `make` alone prints help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROFILE ?= release
SET ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup loadtest smoke soak replay gate tune calibrate mocks ui report runs bench echarts pages faults \
	faults-hang test test-long prometheus lint format reference post-mortem dashboards lock dist clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## create or refresh .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "loadgate needs Python >= 3.11, $(PYTHON) is older; try make PYTHON=python3.12"; exit 2; }
	@echo "setting up $(VENV) (once, about a minute)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
	uv="uv pip install --quiet --compile-bytecode --python $(BIN)/python"; all="--require-hashes -r requirements.lock"; \
	{ command -v uv >/dev/null && $$uv $$all; } || $$pip $$all && \
	$$pip --no-deps --no-build-isolation -e .
	@touch $@

# Each word of SET as an option of its own. Quotes hold a word together, and are a part of it.
export SET
WORDS = ([^[:blank:]\"']|\"[^\"]*\"|'[^']*')+
SETS = $$(printf '%s\n' "$$SET" | grep -oE "$(WORDS)" | sed 's/^/--set=/')
ONE_PER_LINE = set -f; IFS=$$(printf '\n_'); IFS=$${IFS%_};

loadtest: $(READY) ## load-test before a release (PROFILE=release, SET="key=value ...")
	@$(ONE_PER_LINE) $(BIN)/loadgate run $(PROFILE) $(SETS)

smoke: ## half a minute through the whole chain
	@$(MAKE) --no-print-directory loadtest PROFILE=smoke

soak: ## one hour: leaks and slowly filling pools
	@$(MAKE) --no-print-directory loadtest PROFILE=soak

replay: $(READY) ## Black Friday's incidents again, 48 hours in 20 minutes (SET=... prevents them: docs/replay.md)
	@$(ONE_PER_LINE) $(BIN)/loadgate run bf2025-replay $(SETS)

gate: $(READY) ## is this tree slower than where it left the main branch? (SET=..., ARGS="--base ref:v1")
	@sets() { $(ONE_PER_LINE) $(BIN)/loadgate gate --allow-equal "$$@" $(SETS); }; sets $(ARGS)

mocks: $(READY) ## the four mock services on ports 8001 to 8004 (SET="services.cart.ttl_s=60")
	@$(ONE_PER_LINE) $(BIN)/loadgate mocks $(SETS)

ui: $(READY) ## Locust's web UI on the checkout flow (start `make mocks` first)
	@$(BIN)/locust -f locustfiles/checkout_flow.py --web-host 127.0.0.1 $(ARGS)

report: $(READY) ## print the newest run's report
	@$(BIN)/loadgate report

runs: $(READY) ## list recorded runs
	@$(BIN)/loadgate runs

tune: $(READY) ## how large a contended lock pool has to be: slots, answer, confirmation (4 minutes)
	@$(BIN)/loadgate tune inventory_lock.pool_max --range 50..400 $(ARGS) $(foreach pair,$(SET),--set $(pair))

calibrate: $(READY) ## how often this host's gates are wrong: 30 equal arms, 20 at +20 % (hours)
	@$(BIN)/loadgate calibrate $(or $(ARGS),--aa 30 --inject p99=+20% --gates 20)

bench: $(READY) ## figures about loadgate itself, with peers (25 minutes, quiet machine; ONLY=c,e AGAINST=ref)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(AGAINST),--against $(AGAINST))

pages: $(READY) ## see every kind of report.html in a real browser, into runs/pages (needs Chromium)
	@$(BIN)/python -m tests.analysis.html.look $(ARGS)

echarts: ## build anew what report.html draws with (needs npm; nothing else does)
	@analysis/html/vendor/build.sh

faults: $(READY) ## break everything on purpose, and see what comes out (about 18 minutes)
	@$(BIN)/python -m tests.faults $(ARGS)

faults-hang: $(READY) ## shares of requests that never answer, in both models (25 minutes at most)
	@$(BIN)/python -m tests.faults.hang

test test-long: export PYTHONDONTWRITEBYTECODE= # hundreds of processes would compile it all again
test: export OPENBLAS_NUM_THREADS=1 # its threads wait busily, and the workers are parallel already

test: $(READY) ## all tests; those under load afterwards, two at a time
	@$(BIN)/python -m pytest --numprocesses 4 --dist worksteal -m "not live and not long"
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "live and not long"

prometheus: $(READY) ## a real Prometheus beside runs: every panel has data, and it judges as a page does
	@$(BIN)/python -m pytest tests/harness/test_observe_live.py tests/harness/test_metrics_live.py

test-long: $(READY) ## what `make test` has shortened: more kills, more values, 48 hours
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m long

lint: $(READY) ## formatting, lint and types; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(READY) ## write formatting and safe lint fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

post-mortem: $(READY) ## docs/post-mortem.md anew: that of LT-2025-Q3-CHECKOUT
	@$(BIN)/python -m tests.analysis.post_mortem.example

reference: $(READY) ## write docs/reference/ anew from the code
	@$(BIN)/python -m harness.write_reference

dashboards: $(READY) ## write deploy/grafana and deploy/prometheus anew from the code
	@$(BIN)/python -m harness.observe

COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

lock: ## write requirements.lock, and the image's share of it, anew from pyproject.toml (needs uv)
	@$(COMPILE) --extra dev --output-file requirements.lock pyproject.toml
	@echo setuptools | $(COMPILE) --constraints requirements.lock --no-annotate \
		--output-file deploy/requirements.lock pyproject.toml -

dist: $(READY) ## the wheel, and what it is made of as CycloneDX (what a release carries), into dist/
	@rm -rf dist build # what setuptools finds built it packs, removed files too
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file dist/loadgate.cdx.json deploy/requirements.lock

clean: ## remove .venv and caches; runs/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist *.egg-info
