# Every task of a developer's day; `make` alone lists them. Works with GNU make 3.81 (macOS) and later.
# Variables given on the command line or in the environment (PORT=9000) reach the programs as they are.

MAKEFLAGS += --no-builtin-rules
# Each process of the tests would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
PYTHON_M := $(VENV)/bin/python -m
LOCAL := $(VENV)/.local-installed
DEVELOPMENT := $(VENV)/.development-installed
DEPLOYED := .venv-deployed
DEPLOYED_INSTALLED := $(DEPLOYED)/.installed
CLI := .venv-cli
CLI_INSTALLED := $(CLI)/.installed
LOCKS := functions local cli development checkov

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Run it

.PHONY: demo run demo-config
demo: demo-config $(LOCAL)  ## Onboard a tenant and watch its pipeline run, all on this machine (CONFIG=pipeline.yml KEEP=1)
	@$(PYTHON_M) local demo $(if $(CONFIG),--config "$(CONFIG)") $(if $(KEEP),--keep)

# Before anything is installed or started.
demo-config:
	@$(if $(CONFIG),if [ ! -f "$(CONFIG)" ]; then echo "The demo cannot start: $(CONFIG) is no file" >&2; exit 1; fi)

run: $(LOCAL)  ## Serve the platform until Ctrl-C (PORT=8090 TENANT= ADMIN_API_KEY= DATA_DIR=.local EPHEMERAL=1 LATENCY_MS= JOB_SECONDS=)
	@$(PYTHON_M) local run

.PHONY: validate
validate: $(LOCAL)  ## Check a pipeline file and run its tests on this machine (CONFIG=pipeline.yml)
	@$(PYTHON_M) local validate --config "$(CONFIG)"

.PHONY: cli
cli: $(CLI_INSTALLED)  ## Install the command line, in an environment of its own, and say where it is
	@echo "$(CURDIR)/$(CLI)/bin/convergence"

# Change it

# Files go by their order, so that folders share servers too; tests/conftest.py says what stays in one process.
AT_ONCE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: test test-unit test-functional test-contract test-e2e
test: $(DEVELOPMENT)  ## Run all tests
	@echo "== Tests"
	@$(PYTHON_M) pytest $(AT_ONCE)

test-unit:  ## Run the unit tests: the domain and each adapter on fakes
test-functional:  ## Run the functional tests: each function's real main.py, in-process
test-contract:  ## Run the contract tests: one suite on every backend
test-e2e:  ## Run the end-to-end tests: the guide's commands against the local platform
test-unit test-functional test-contract test-e2e: $(DEVELOPMENT)
	@$(PYTHON_M) pytest tests/$(@:test-%=%)

.PHONY: simulate
simulate: $(DEVELOPMENT)  ## Run the domain in virtual time under seeded faults (SEED=0 RUNS=1000)
	@echo "== Simulation"
	@$(PYTHON_M) tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS))

.PHONY: check-kills kill-test load-test
check-kills: $(DEVELOPMENT)  ## Kill the process of a step of each type before each of its requests, and the platform once; send each route odd requests
	@echo "== Kills"
	@$(PYTHON_M) pytest $(AT_ONCE) -o python_files="check_*.py" -q tests/functional tests/contract tests/e2e

kill-test: $(DEVELOPMENT)  ## Kill the local platform at random moments, and count the rows of all steps (ROUNDS=6 SEED=)
	@$(PYTHON_M) tests.kills $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

load-test: $(DEVELOPMENT)  ## Let many clients at the local platform at once (TENANTS=50 CLIENTS=2)
	@$(PYTHON_M) tests.load $(if $(TENANTS),--tenants $(TENANTS)) $(if $(CLIENTS),--clients $(CLIENTS))

.PHONY: check-schedules
check-schedules: $(DEVELOPMENT)  ## Hold the times of schedules against brute force: all zones, all changes of clocks, 2010 to 2037
	@$(PYTHON_M) tests.schedules

.PHONY: pictures
pictures: $(DEVELOPMENT)  ## Take the README's pictures of the console anew, in a browser of this machine
	@$(PYTHON_M) tests.pictures 2>/dev/null

.PHONY: bench bench-peers
bench: $(DEVELOPMENT)  ## Count what runs, minutes and a large platform cost (FIRINGS=1500 LATENCY_MS=0)
	@$(PYTHON_M) tests.bench $(if $(FIRINGS),--firings $(FIRINGS)) $(if $(LATENCY_MS),--latency-ms $(LATENCY_MS))

bench-peers: $(DEVELOPMENT) $(DEPLOYED_INSTALLED)  ## Compare runs with a bare script and with peers; writes docs/benchmarks.md (PEERS=dbt-bigquery,luigi ROUNDS=3 SHAPES=4x5,30x1)
	@$(PYTHON_M) tests.bench.peers $(if $(filter undefined,$(origin PEERS)),,--peers "$(PEERS)") $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SHAPES),--shapes $(SHAPES))

.PHONY: check format check-format lint types layers check-deployed
check: check-format lint types layers check-deployed test simulate check-kills  ## Check all that CI checks, up to the first failure

format: $(DEVELOPMENT)  ## Format the code, and fix the lint that can be fixed safely
	@$(PYTHON_M) ruff check --fix-only --quiet
	@$(PYTHON_M) ruff format

check-format: $(DEVELOPMENT)
	@echo "== Format"
	@$(PYTHON_M) ruff format --check

lint: $(DEVELOPMENT)  ## Lint
	@echo "== Lint"
	@$(PYTHON_M) ruff check

types: $(DEVELOPMENT)  ## Check the types, strictly
	@echo "== Types"
	@$(PYTHON_M) mypy

layers: $(DEVELOPMENT)  ## Check that imports go down the layers of the design
	@echo "== Layers"
	@$(VENV)/bin/python $(VENV)/bin/lint-imports --no-logo

check-deployed: $(DEVELOPMENT) $(DEPLOYED_INSTALLED)  ## Run the guide's commands against the bundles, served as in the cloud
	@echo "== As deployed"
	@$(PYTHON_M) pytest -o python_files="check_*.py" -q tests/deployed

# Look after it

.PHONY: credentials-public-keys rotate-credentials
credentials-public-keys: $(DEVELOPMENT)  ## Print what secrets are sealed with, the public half of a key ring (CREDENTIALS_KEYRING=)
	@$(PYTHON_M) common.wiring.public_keys

rotate-credentials: $(DEVELOPMENT)  ## Seal all credentials under the active key (GCP_PROJECT_ID= CREDENTIALS_KEYRING=)
	@$(PYTHON_M) common.wiring.rotation

.PHONY: install lock clean
install: $(DEVELOPMENT)  ## Install everything (other targets do so by themselves)

lock: $(DEVELOPMENT)  ## Compile requirements/*.in to hashed locks (UPGRADE=1 takes the newest versions)
	@cd requirements && for set in $(LOCKS); do \
	  echo "Locking $$set"; \
	  ../$(PYTHON_M) uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	    --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) $$set.in --output-file $$set.txt || exit 1; \
	done

clean:  ## Remove environments and caches, not the platform's data
	rm -rf $(VENV) .venv-* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments: each lock leaves a stamp, so that a second call starts at once and a changed lock is installed by itself.

%/bin/python:
	@python=$$(scripts/find-python) && echo "Making $* with $$python" && "$$python" -m venv --clear $*

$(LOCAL): requirements/local.txt $(VENV)/bin/python
	@echo "Installing the local platform"
	@scripts/install $(VENV) $<
	@touch $@

$(DEVELOPMENT): requirements/development.txt $(LOCAL)
	@echo "Installing the development tools"
	@scripts/install $(VENV) $<
	@touch $@

# The command line, as `pipx install .` makes it, with the versions of its lock.
$(CLI_INSTALLED): requirements/cli.txt pyproject.toml $(shell find cli common ps_templates -type f -not -path '*/__pycache__/*') $(CLI)/bin/python
	@echo "Installing the command line"
	@scripts/install $(CLI) $<
	@$(CLI)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --force-reinstall .
	@touch $@

# What is deployed, and nothing else: a dependency that only the development tools bring is missing here.
$(DEPLOYED_INSTALLED): requirements/functions.txt $(DEPLOYED)/bin/python
	@echo "Installing what is deployed"
	@scripts/install $(DEPLOYED) $<
	@touch $@

-include terraform/targets.mk
