# make up: a real three-host Swarm and its proof.  make test: all tests.  Both install what is missing, and say so.
# make lint, test-fast and wheel-test need no engine and no root; the environment is all that they set up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up down test test-fast wheel-test lint lock bench vm-setup clean
BIN := .venv/bin
SCENARIO ?= three-tier

help: ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: ## set up what is missing, then build and prove a lab (SCENARIO=three-tier)
	@tools/setup.sh run $(SCENARIO)
	@$(BIN)/swarmlab up $(SCENARIO)

down: ## remove that lab
	@$(BIN)/swarmlab down $(SCENARIO)

test: ## set up what is missing, then run all tests
	@tools/setup.sh dev
	@$(BIN)/pytest $(ARGS)

test-fast: ## unit and golden tests and doctests, on all processors, in less than a minute
	@tools/setup.sh lint
	@$(BIN)/pytest --numprocesses auto tests/unit tests/golden swarmlab $(ARGS)

wheel-test: ## build sdist and wheel, install the wheel elsewhere, and use it there
	@tools/setup.sh lint
	@$(BIN)/pytest tests/install $(ARGS)

lint: ## ruff, mypy --strict, import-linter
	@tools/setup.sh lint
	@$(BIN)/ruff check swarmlab tests bench
	@$(BIN)/ruff format --check swarmlab tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: ## refresh requirements/*.txt: the newest versions that pyproject.toml admits
	@tools/setup.sh lint
	@tools/lock.sh

bench: ## measure speed as ratios in one run
	@tools/setup.sh dev
	@$(BIN)/python bench/run.py $(ARGS)

vm-setup: ## install what hosts as virtual machines need (--provider qemu)
	@tools/setup.sh vm

clean: ## remove every lab, the images that swarmlab built, the virtual environment and caches
	@[ ! -x $(BIN)/swarmlab ] || $(BIN)/swarmlab down --all
	@docker image ls --quiet --filter label=io.swarmlab.image 2>/dev/null | sort -u | xargs -r docker image rm --force >/dev/null
	@rm -rf "$${SWARMLAB_HOME:-$${XDG_STATE_HOME:-$$HOME/.local/state}/swarmlab}/images"
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
