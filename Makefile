# The commands people type. Nothing but Python 3.11 or newer, and make, needs to be there.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SUFFIX ?= demo
UPGRADE ?= --upgrade
# What chance chooses is chosen anew each day, and the same all day: as FAULT_SEED in tests/faults/seeds.py.
DAY := $(shell date -u +%Y%m%d)
# Of the slow tests, a seventh runs each day in `make check`; SHARE=3/7 is that of another day.
SHARE ?= $(shell echo $$(($$(date -u +%s) / 86400 % 7 + 1)))/7

# Each lock holds versions and hashes for every Python and system that is supported; the versions are the same in all.
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command 'make lock' - setup.cfg
BUILD := $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])'
PIP := $(BIN)/pip --quiet --disable-pip-version-check install --no-deps
# Of what pip says, a line for each ten packages and one when it unpacks them; a failure of pip fails the recipe. (mawk would hold them back.)
PROGRESS := { n=0; while read -r word rest; do case $$word in (Collecting|Processing) (( ++n % 10 )) || echo "        $$n packages" ;; (Installing) echo "        all $$n are here; unpacking them" ;; esac; done; }
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

.PHONY: demo test check slow docs screens lock bench faults faults-strongest mutants mutants-sample rights wander clean

demo: $(VENV)/.runs  ## bring the stack up on the local AWS, and leave it to be looked at
	$(BIN)/python cli.py apply --local --suffix $(SUFFIX) --yes
	$(BIN)/python cli.py status --local --suffix $(SUFFIX)

test: $(VENV)/.tests  ## every test
	$(BIN)/pytest -n auto --dist loadfile --hypothesis-seed=$(DAY)

check: $(VENV)/.tests  ## what CI runs: style, types, tests and a seventh of the slow ones, coverage
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n auto --dist loadfile --hypothesis-seed=$(DAY) -m "" --slow-share $(SHARE) --cov --cov-report=term:skip-covered

slow: $(VENV)/.tests  ## the tests that are too long for every day
	$(BIN)/pytest -n auto --dist loadfile -m slow

docs: $(VENV)/.tests  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

screens: $(VENV)/.tests  ## run the commands that the documentation shows, and write what they print into its pages
	$(BIN)/python -m docs_site.screens

lock: $(BIN)/uv  ## take the newest versions of all packages into the locks; UPGRADE= keeps those that still fit
	$(BUILD) | $(LOCK) $(UPGRADE) --extra local --extra dev -o .ci/constraints.txt
	$(BUILD) | $(LOCK) -c .ci/constraints.txt --extra local -o .ci/local.txt
	$(BUILD) | $(LOCK) -c .ci/constraints.txt -o .ci/production.txt

bench: $(VENV)/.runs  ## measure, print the table, write benchmarks/results.md; a quarter of an hour, on an idle machine
	$(BIN)/python -m benchmarks

faults: $(VENV)/.tests  ## every fault at every call, in an hour or less; goes on where it was interrupted
	export PYTHONHASHSEED=0; \
	$(BIN)/python -m tests.faults --shard 1/2 --resume $(VENV)/faults-1.jsonl >/dev/null & \
	$(BIN)/python -m tests.faults --shard 2/2 --resume $(VENV)/faults-2.jsonl >/dev/null; wait
	$(BIN)/python -m tests.faults --join $(VENV)/faults-1.jsonl $(VENV)/faults-2.jsonl

faults-strongest: $(VENV)/.tests  ## the same of all that can be had at once, at one call of each operation
	PYTHONHASHSEED=0 $(BIN)/python -m tests.faults --profile strongest --each-operation --resume $(VENV)/faults-strongest.jsonl

mutants: $(VENV)/.tests  ## every mutant of the modules of tests/mutants/modules.toml; goes on where it was interrupted
	$(BIN)/python -m tests.mutants --resume $(VENV)/mutants.jsonl

mutants-sample: $(VENV)/.tests  ## some mutants of some modules, others each day
	$(BIN)/python -m tests.mutants --sample 90 --seed $(DAY)

wander: $(VENV)/.tests  ## random settings, drifts and applies, many of them; SEED=N repeats one
	@seed=$${SEED:-$$(date +%s)}; echo "SEED=$$seed"; \
	WANDERINGS=$${WANDERINGS:-40} $(BIN)/pytest -n 0 -m slow tests/stack/test_random_changes.py --hypothesis-seed=$$seed

rights: $(VENV)/.tests  ## the policy for an operator: one run for each statement that is taken away
	RIGHTS=all $(BIN)/pytest -n auto -m "slow or not slow" tests/permissions/test_policies.py tests/permissions/test_domain_policy.py tests/permissions/test_escalation.py

clean:  ## remove what was installed and measured; never a state
	rm -rf $(VENV) .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip --quiet --disable-pip-version-check install uv

$(VENV)/.runs: setup.cfg .ci/local.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@echo "1 of 3: making $(VENV), once."
	@$(PYTHON) -m venv $(VENV)
	@echo "2 of 3: installing the $$(grep -c == .ci/local.txt) packages of .ci/local.txt there; a minute or so, by the network."
	@PYTHONUNBUFFERED=1 $(BIN)/pip --disable-pip-version-check install --no-deps --require-hashes -r .ci/local.txt | $(PROGRESS)
	@echo "3 of 3: installing this checkout beside them."
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.tests: $(VENV)/.runs .ci/constraints.txt
	$(PIP) --require-hashes -r .ci/constraints.txt
	touch $@
