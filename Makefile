# Everything is run from here; `make` alone lists the targets.
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder
INIT := $(PYTHON) -m mosquitto init
export PYTHONUNBUFFERED := 1
# Each of many processes would compile all modules again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test check lint bench torture sbom broker collector dashboard demo clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

run: ## set everything up, then run broker, collector, dashboard and simulated fleet; Ctrl-C stops them
	@deploy/bootstrap.sh run
	@$(PYTHON) -m mosquitto check
	@$(PYTHON) -m dashboard check
	@$(INIT)
	@exec $(PYTHON) -m deploy.run deploy/Procfile

test: ## the whole suite, with a real broker and a real browser
	@deploy/bootstrap.sh test
	@$(PYTEST) -m "not bench"

check: lint ## format, lint, types and unit tests: the fast gate before a commit
	@$(PYTEST) -m "not broker and not browser and not crash and not bench"

lint: ## format, lint and types alone
	@deploy/bootstrap.sh check
	@$(PYTHON) -m ruff format --check --quiet
	@$(PYTHON) -m ruff check --quiet
	@$(PYTHON) -m mypy

bench: ## the benchmarks, each a ratio against a named baseline
	@deploy/bootstrap.sh test
	@$(PYTHON) -m pytest -q -s -m bench

torture: ## kill collector and broker for DURATION (10m) and count what it cost
	@deploy/bootstrap.sh test
	@$(PYTHON) -m tests.torture $(or $(DURATION),10m)

sbom: ## write what Culex consists of, its SBOM, to culex.cdx.json
	@deploy/bootstrap.sh check
	@$(PYTHON) deploy/sbom.py culex.cdx.json

broker: ## run the broker alone
	@deploy/bootstrap.sh run
	@$(INIT)
	@exec $(PYTHON) -m mosquitto run

collector: ## run the collector alone
	@deploy/bootstrap.sh run
	@$(INIT)
	@exec $(PYTHON) -m collector run

dashboard: ## run the dashboard alone
	@deploy/bootstrap.sh run
	@$(INIT)
	@exec $(PYTHON) -m dashboard run

demo: ## run the simulated fleet alone
	@deploy/bootstrap.sh run
	@$(INIT)
	@exec $(PYTHON) -m collector.demo

clean: ## remove .venv and caches; data/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
