# What CI runs is here, and nothing else: see .ci/run.
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# Inventories are compared with the Ansible that scripts/prepare has installed.
export PFREMOTE_ANSIBLE_BIN ?= $(wildcard $(CURDIR)/.venv-ansible/bin)

.PHONY: check coverage test test-fast test-host test-machine test-collection test-newest-ansible bench demo lab build format docs/demo.txt docs/screens

check: $(BIN)/.dev-tools
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/mypy
	! $(BIN)/vulture | grep "^src/"
	sh scripts/check-shell
	$(BIN)/python bench/expressions.py --most 20 --limit 250

# What pfremote needs and the tools of the dev group, again when pyproject.toml has changed: a checkout may be older.
$(BIN)/.dev-tools: pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	touch $@

test: test-fast test-host test-machine test-collection

test-fast:
	$(PYTEST) -q --doctest-modules src/pfremote
	$(PYTEST) -q -n 2 -m "not host and not machine"

# The rooms whose every path can be had without root: see "Test a window without root" in CONTRIBUTING.md.
coverage:
	$(BIN)/python -m coverage run -m pytest -q tests/unit/window tests/unit/fleet tests/unit/run
	$(BIN)/python -m tests.support.coverage_by_room 95

test-host:
	$(PYTEST) -q -n 3 -m host

test-machine:
	$(PYTEST) -q -n 2 --dist loadfile --timeout 1200 -m machine

# The collection in ansible/ as Ansible's own tools see it.
test-collection:
	sh scripts/check-collection

# Inventories beside the newest ansible-core, which wants a newer Python than ours: make test-newest-ansible PYTHON=python3.13
PYTHON ?= python3.12
test-newest-ansible:
	$(PYTHON) -m venv .venv-ansible-newest
	.venv-ansible-newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade ansible-core
	.venv-ansible-newest/bin/ansible-inventory --version
	PFREMOTE_ANSIBLE_BIN=$(CURDIR)/.venv-ansible-newest/bin $(PYTEST) -q tests/unit/inventory

bench:
	sh bench/run

demo:
	sh scripts/demo

# The demo as it really ran, for README.md.
docs/demo.txt:
	sh scripts/record-demo $@

# What commands show on terminals of several widths and in a pipe, as they really ran (as root).
docs/screens:
	$(BIN)/python -m tests.support.recorder.screens

lab:
	$(BIN)/python -m tests.lab up -n 2

build:
	$(BIN)/python -m pip wheel --quiet --no-deps -w dist .

format:
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench
