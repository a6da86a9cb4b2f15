# Every target does its own set-up; a second run finds it done.
#
# Variables reach the command by the environment; `python -m infra up --help` has them all.
#
#   make up [PORT=8000] [STATE_DIR=.onsale] [WORKERS=2] [AWS=embedded|localstack] [AUTH_MODE=open|jwt]
#   make rush [TICKETS=1000] [BUYERS=5000] [CONCURRENCY=64] [SEED=1] [URL=http://…]
#   make rush CHAOS=1 [TICKETS=16000] [BUYERS=20000] [CONCURRENCY=64] [SEED=1]

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EMULATOR := $(VENV)/emulator
SUPPLY := $(VENV)/supply
POLICY := $(VENV)/policy
LOCKS := requirements.txt requirements-console.txt requirements-dev.txt infra/local/requirements.txt \
  infra/emulator/requirements.txt infra/policy/requirements.txt infra/supply/requirements.txt
# Nothing that the lock does not name by its hash, and nothing that would have to be built, but for the one package
# that exists only as its source.
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary localstack-client
TICKETS ?= $(if $(CHAOS),16000,1000)
BUYERS ?= $(if $(CHAOS),20000,5000)
CONCURRENCY ?= 64
SEED ?= 1
SEEDS ?= 100000
MINUTES ?= 20

.DEFAULT_GOAL := help
.PHONY: help install install-deploy up down status test test-fast test-faults test-deploy simulate fuzz check rush bench lock audit-dependencies clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 27

install: $(VENV)/installed $(EMULATOR)/installed ## Install everything into .venv; the other targets do it by themselves.

install-deploy: install $(EMULATOR)/deploy-installed ## Install what `deploy --target emulator` needs besides.

up: install ## Start the whole service and keep it running until Ctrl-C.
	@exec $(BIN)/python -m infra up

down: install ## Stop a stack that runs in the background or in another terminal.
	@$(BIN)/python -m infra down

status: install ## Show the running stack's processes and addresses.
	@$(BIN)/python -m infra status

check: install $(POLICY)/installed ## Lint of code and templates, security scan, types, import rules and unit tests.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/unit tests/rules

test: install ## Every test but the long ones (test-faults, test-deploy), on real servers that it starts itself.
	$(BIN)/pytest -m "not faults and not deploy"

test-faults: install ## Break real processes and real stores on purpose, and see every promise kept.
	$(BIN)/pytest -m faults

test-deploy: install-deploy $(POLICY)/installed ## Deploy the packaged stack to the emulator, sell an event out, change it, roll back, destroy it.
	$(BIN)/pytest -m deploy

simulate: install ## Live SEEDS schedules of bad luck through the real code (SEEDS=100000).
	@$(BIN)/python -m tests.simulate $(SEEDS)

fuzz: install ## Send MINUTES of generated requests as every role against the contract (MINUTES=20).
	@$(BIN)/python -m tests.fuzz $(MINUTES)

test-fast: install ## Every test that is not marked slow.
	$(BIN)/pytest -m "not slow and not faults and not deploy"

rush: install ## Send a crowd to the running stack, then audit it; CHAOS=1 strikes the stack meanwhile.
	@$(BIN)/python -m infra rush --tickets $(TICKETS) --buyers $(BUYERS) --concurrency $(CONCURRENCY) \
	  --seed $(SEED) $(if $(CHAOS),--chaos) $(if $(URL),--url $(URL))

bench: install ## Measure the limits of this machine, and ours beside them.
	@$(BIN)/python -m infra bench

lock: $(SUPPLY)/installed ## Pin again, with hashes, what the requirements.in files name (LOCK=--upgrade: the newest of the rest).
	@set -e; for lock in $(LOCKS); do \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" $(SUPPLY)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links $(LOCK) $$([ $$lock != requirements-console.txt ] || echo --no-deps) "$${lock%.txt}.in" -o "$$lock"; \
	done

audit-dependencies: $(SUPPLY)/installed ## Ask for known weaknesses of everything installed; needs the internet (OFFLINE=ok: or says so).
	@$(SUPPLY)/bin/pip-audit --strict --progress-spinner off --require-hashes --disable-pip $(LOCKS:%=-r %) 2>$(SUPPLY)/audit.log \
	  && cat $(SUPPLY)/audit.log \
	  || { grep -A1000 '^Found [1-9]' $(SUPPLY)/audit.log || { tail -n 1 $(SUPPLY)/audit.log | cut -c 1-200; \
	    echo "Nothing was audited: the list of known weaknesses could not be read. This needs the internet."; \
	    [ "$(OFFLINE)" != ok ] || exit 0; }; exit 1; }

clean: ## Remove what was installed; the data in .onsale stays.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/installed: requirements-dev.txt requirements-console.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Onsale needs Python 3.11 or newer; try PYTHON=python3.12 make $(MAKECMDGOALS)"; exit 1; }
	@echo "installing into $(VENV); only the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) -r requirements-dev.txt
	@$(BIN)/python $(INSTALL) --no-deps -r requirements-console.txt
	@touch $@

$(EMULATOR)/installed: infra/local/requirements.txt $(VENV)/installed
	@echo "installing the embedded SQS into $(EMULATOR)"
	@test -x $(EMULATOR)/bin/python || $(BIN)/python -m venv $(EMULATOR)
	@$(EMULATOR)/bin/python $(INSTALL) -r infra/local/requirements.txt
	@touch $@

$(EMULATOR)/deploy-installed: infra/emulator/requirements.txt $(EMULATOR)/installed
	@echo "installing what the embedded CloudFormation needs into $(EMULATOR)"
	@$(EMULATOR)/bin/python $(INSTALL) -r infra/emulator/requirements.txt
	@touch $@

$(POLICY)/installed: infra/policy/requirements.txt $(VENV)/installed
	@echo "installing the tools that look over templates into $(POLICY)"
	@test -x $(POLICY)/bin/python || $(BIN)/python -m venv $(POLICY)
	@$(POLICY)/bin/python $(INSTALL) -r infra/policy/requirements.txt
	@touch $@

$(SUPPLY)/installed: infra/supply/requirements.txt $(VENV)/installed
	@echo "installing the tools that look after requirements into $(SUPPLY)"
	@test -x $(SUPPLY)/bin/python || $(BIN)/python -m venv $(SUPPLY)
	@$(SUPPLY)/bin/python $(INSTALL) -r infra/supply/requirements.txt
	@touch $@
