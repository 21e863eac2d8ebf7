# The commands one needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HISTORIES ?= 10000
PROFILE ?= examples/profiles/aloha_demo.yaml
FUZZ ?= 1000000
GUIDED ?= mcap bag ros2msg ros2idl protobuf cdr_joints json_message jpeg_file picture_png profile condition
# Python compiles what is imported when it is; to compile all that is installed takes a minute.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
export DAGSTER_HOME := $(CURDIR)/var/dagster
export BAGMILL_DEPLOYMENT := $(CURDIR)/var/deployment.yaml

.DEFAULT_GOAL := help
.PHONY: help setup torch trainers demo ui screenshots test test-all fuzz simulate kills lint bench lock clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

$(BIN)/.ready: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bagmill needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -r requirements.lock
	$(PIP_INSTALL) --no-deps -e .
	@touch $@

setup: $(BIN)/.ready  ## Make the environment in .venv

torch: setup  ## Add PyTorch, which training needs and nothing else: its adaptor's tests are skipped without
	$(PIP_INSTALL) torch==2.13.0

trainers: torch  ## Add PyTorch Lightning and Accelerate, which only tests need: those under trainers are skipped without
	$(PIP_INSTALL) torch==2.13.0 lightning==2.6.6 accelerate==1.15.0

demo: setup  ## Ingest sample recordings through Dagster, or yours: RECORDINGS=folder PROFILE=my.yaml
	$(BIN)/python -m examples.demo $(if $(RECORDINGS),--recordings "$(RECORDINGS)") --profile "$(PROFILE)"

ui: setup  ## Dagster's web UI on what the demo made, at http://127.0.0.1:3000 or PORT=, and the media server that plays films
	@mkdir -p "$(DAGSTER_HOME)" && cp pipelines/dagster.yaml "$(DAGSTER_HOME)/"
	$(BIN)/python -m pipelines.ui $(if $(PORT),--port $(PORT))

screenshots: setup  ## Take the pictures in docs/images anew, from the demo's data; needs Chromium
	$(BIN)/python -m examples.screenshots

test: setup  ## Run the tests
	$(BIN)/python -m pytest -n auto -m "not slow"

test-all: setup  ## Run every test, those of minutes too
	$(BIN)/python -m pytest -n auto

fuzz: setup  ## A million damaged inputs, then inputs guided by coverage: an hour or two; less: make fuzz FUZZ=10000
	$(BIN)/python -m tests.fuzz --inputs $(FUZZ) --processes $$(nproc) --keep var/fuzz
	$(PIP_INSTALL) atheris==3.0.0
	for target in $(GUIDED); do $(BIN)/python -m tests.fuzz.guided $$target --runs $$(( $(FUZZ) / 100 )) --found var/fuzz/$$target || exit 1; done

simulate: setup  ## Live through 10,000 histories of disks, clocks and crashes: about an hour; fewer: make simulate HISTORIES=500
	$(BIN)/python -m tests.simulation --histories $(HISTORIES) --processes 2

kills: setup  ## Kill 500 processes with a reader beside them: a quarter of an hour
	$(BIN)/python -m benchmarks.kills --kills 500

lint: setup  ## Types, style, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: setup  ## Measure, and write docs/benchmarks: hours; less: make bench BENCH=--quick
	mkdir -p docs/benchmarks
	for name in ingest scale codec depth query drafts salvage damage loader training fleet; do $(BIN)/python -m benchmarks.$$name $(BENCH) --json docs/benchmarks/$$name.json || exit 1; done
	$(BIN)/python -m benchmarks.report

lock: setup  ## Pin every package anew, but torch, which comes in as many builds as there are machines
	$(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --universal --python-version 3.11 --extra dagster --extra postgres --extra exports --extra remote --extra dev pyproject.toml -o requirements.lock

clean:  ## Remove the environment and the demo's data
	rm -rf $(VENV) var
