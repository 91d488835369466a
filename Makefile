# Everything a developer or a newcomer runs. Each target makes what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
SOURCES := yaat_core $(wildcard plugins/*/yaat_*)
MANIFESTS := pyproject.toml yaat_core/pyproject.toml $(wildcard plugins/*/pyproject.toml)
RUN := .venv/.installed-run
DEV := .venv/.installed-dev

WORKERS ?= 2
PYTEST_ARGS ?=
BENCH_ARGS ?=
SECONDS ?=
KILLS ?=
SWEEP ?=

.PHONY: help screenshots demo demo-backend test test-faults explore lint types fix bench bench-cloud bench-gateway bench-idle bench-hostmetrics bench-statsd bench-docker bench-journald bench-query soak soak-gateway dist clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

$(RUN): constraints.txt $(MANIFESTS) tools/bootstrap
	@if [ -e $(DEV) ]; then tools/bootstrap dev; touch $(DEV); else tools/bootstrap run; fi
	@touch $@

$(DEV): constraints.txt $(MANIFESTS) tools/bootstrap
	@tools/bootstrap dev
	@touch $@ $(RUN)

demo: $(RUN) ## a small application logs, the agent reads along, SQL answers
	@$(BIN)/python examples/demo.py

demo-backend: $(RUN) ## a gateway, two agents that send to it and a load, and what to ask
	@$(BIN)/python examples/demo_backend.py

screenshots: $(DEV) ## every screen of the TUI at both sizes, into docs/screenshots
	@$(BIN)/python tools/screenshots.py

test: $(DEV) ## every test but the long fault runs (PYTEST_ARGS=..., WORKERS=2)
	$(BIN)/python -m pytest -m "not faults" -n $(WORKERS) $(PYTEST_ARGS)

test-faults: $(DEV) ## kill -9, full disks and damaged stores, again and again
	$(BIN)/python -m pytest -m faults -n $(WORKERS) $(PYTEST_ARGS)

explore: $(DEV) ## new examples for the property tests (MATCH=test_name to choose)
	YAAT_EXAMPLES=explore $(BIN)/python -m pytest -m "hypothesis and not faults" -n $(WORKERS) $(if $(MATCH),-k "$(MATCH)") $(PYTEST_ARGS)

lint: $(DEV) types ## style, types, generated documents, shell scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m yaat_core.docgen --check
	$(BIN)/python -m yaat_plugin_gateway.web.page --check docs/gateway-api.md
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run tools/bootstrap tools/engine tools/node-clients bench/peers/build; \
	else echo "shellcheck is not installed: shell scripts not checked (apt-get install shellcheck)"; fi

types: $(DEV) ## mypy --strict on the core and every plugin
	$(BIN)/mypy $(SOURCES)

fix: $(DEV) ## let ruff mend style, and write the generated documents anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m yaat_core.docgen
	$(BIN)/python -m yaat_plugin_gateway.web.page docs/gateway-api.md

bench: $(DEV) ## against one DuckDB statement and peers, as ratios (BENCH_ARGS="--lines 50000"; --volumes)
	@$(BIN)/python bench/run.py $(BENCH_ARGS)

bench-cloud: $(DEV) ## the `cloud` sink against gzip 1 alone, the agent against the Collector's otlphttp exporter
	@$(BIN)/python bench/cloud_run.py $(BENCH_ARGS)

bench-docker: $(DEV) ## a container's log into the database, against `podman logs` into a file
	@$(BIN)/python bench/docker_run.py $(BENCH_ARGS)

bench-idle: $(DEV) ## CPU with nothing to do, and how soon an appended line can be queried
	@$(BIN)/python bench/idle_run.py $(BENCH_ARGS)

bench-hostmetrics: $(DEV) ## CPU of a round of host metrics, against Telegraf (built by bench/peers/build telegraf)
	@$(BIN)/python bench/hostmetrics_run.py $(BENCH_ARGS)

bench-statsd: $(DEV) ## StatsD against Etsy's statsd and Telegraf (built by bench/peers/build statsd telegraf)
	@$(BIN)/python bench/statsd_run.py $(BENCH_ARGS)

bench-query: $(DEV) ## scoped queries over 10 million events of a gateway while more come in (BENCH_ARGS="--events 2000000")
	@$(BIN)/python bench/query_run.py $(BENCH_ARGS)

bench-journald: $(DEV) ## the journal against `journalctl -o json` itself
	@$(BIN)/python bench/journald_run.py $(BENCH_ARGS)

bench-gateway: $(DEV) ## ingesting over HTTP, durable, against an endpoint that only parses the JSON
	@$(BIN)/python bench/gateway_run.py $(BENCH_ARGS)

soak-gateway: $(DEV) ## an agent and the gateway that it sends to, killed at random KILLS=500 times
	KILLS=$(or $(KILLS),500) $(BIN)/python -m pytest -m faults -n 0 tests/e2e/test_both_ends.py $(PYTEST_ARGS)

soak: $(DEV) ## the agent under load for SECONDS=60, or until KILLS=1000 of it; SWEEP=all: killed and cut off at every call
	@$(BIN)/python bench/soak.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KILLS),--kills $(KILLS))
ifneq ($(SWEEP),)
	SWEEP=$(SWEEP) $(BIN)/python -m pytest -m faults tests/e2e/test_sweep.py tests/e2e/test_power.py $(PYTEST_ARGS)
endif

dist: $(DEV) ## a wheel of every distribution into dist/
	@rm -rf dist
	@for folder in $(dir $(MANIFESTS)); do \
		$(BIN)/python -m build --wheel --no-isolation --outdir dist $$folder >.venv/build.log 2>&1 \
			|| { cat .venv/build.log; exit 1; }; \
	done
	@ls -1 dist

clean: ## remove what was made, but for .venv
	rm -rf dist build .demo bench/results .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
