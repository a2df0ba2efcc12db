# What CI runs is here, and nothing else: see .ci/run.
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# Inventories are compared with the Ansible that scripts/prepare has installed.
export PFREMOTE_ANSIBLE_BIN ?= $(wildcard $(CURDIR)/.venv-ansible/bin)

.PHONY: check test test-fast test-host test-machine bench demo lab build format docs/demo.txt

check:
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/mypy
	sh scripts/check-shell

test: test-fast test-host test-machine

test-fast:
	$(PYTEST) -q -n 2 -m "not host and not machine"

test-host:
	$(PYTEST) -q -n 3 -m host

test-machine:
	$(PYTEST) -q -n 2 --dist loadfile --timeout 1200 -m machine

bench:
	sh bench/run

demo:
	sh scripts/demo

# The demo as it really ran, for README.md.
docs/demo.txt:
	sh scripts/record-demo $@

lab:
	$(BIN)/python -m tests.lab up -n 2

build:
	$(BIN)/python -m pip wheel --quiet --no-deps -w dist .

format:
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench
