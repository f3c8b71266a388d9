# Every word that a person or a pipeline says to this project; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Tests at one time: each worker has PostgreSQL servers of its own.
JOBS ?= 2

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make .venv with everything in it, once; PYTHON=python3.12 picks the interpreter
	@command -v $(PYTHON) >/dev/null || { echo "make setup: there is no program $(PYTHON) on PATH" >&2; exit 2; }
	@$(PYTHON) tools/setup.py

demo: setup  ## PostgreSQL far away, the proxy and the planets app, until Ctrl-C; DISTANCE_MS=40
	@$(BIN)/python -m tools.demo $(ARGS)

test: setup  ## all tests in their short form, JOBS=2 at a time; ARGS go to pytest
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-matrix: setup  ## the tests that run a proxy, over pool modes and workers; JOBS=2, ARGS go to pytest
	@$(BIN)/python -m tests.matrix -n $(JOBS) --dist loadfile $(ARGS)

check: setup  ## format, lint, types and import contracts
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache --no-logo

init: setup  ## bring the schema and the planets into the database that DATABASE_URL names
	@$(BIN)/python prisma/init.py $(ARGS)

image: setup  ## build the container images and probe them as they run; BASE_IMAGE=..., ENGINE=docker|buildah
	@$(BIN)/python -m tools.image $(ARGS)

loadtest: setup  ## the same load direct and through the proxy, with a report; ARGS=--help lists the options
	@$(BIN)/python -m loadtest $(ARGS)

prisma: setup  ## Prisma's own command line: make prisma ARGS="migrate status"
	@prisma/engines/prisma $(ARGS)

deploy-check: setup  ## check koyeb.yaml, and play it against a stand-in of Koyeb's API
	@$(BIN)/python -m deploy.check $(ARGS)

compiled: setup  ## compile what a hit goes through, which needs a C compiler; ARGS=--remove undoes it
	@$(BIN)/python -m tools.compiled $(ARGS)

differential: setup  ## the same statements direct and through the proxy, in their long form
	@$(BIN)/python -m tests.differential $(ARGS)

precision: setup  ## what precise writes leave in the memory, held against PostgreSQL, in its long form
	@$(BIN)/python -m tests.precision $(ARGS)

bench: setup  ## the proxy beside PostgreSQL, PgBouncer, pgpool-II and the limit; ARGS=--help lists the options
	@$(BIN)/python -m bench $(ARGS)

bench-compare: setup  ## hits of another revision against these sources: make bench-compare REV=HEAD~1
	@$(BIN)/python -m bench.compare "$(or $(REV),HEAD)" $(ARGS)

profile: setup  ## where the time of a hit goes, as a file for speedscope
	@$(BIN)/python -m bench.profile $(ARGS)

bench-memory: setup  ## bytes, pauses and hits of a memory of a million entries, about two minutes
	@$(BIN)/python -m bench.memory $(ARGS)

bench-clients: setup  ## what a login and an idle client cost, and whether 10,000 of them work
	@$(BIN)/python -m bench.clients $(ARGS)

bench-big: setup  ## a result of a gigabyte, direct and through the proxy
	@$(BIN)/python -m bench.big $(ARGS)

bench-precision: setup  ## the hit ratio under writes, by row and by table, near and far
	@$(BIN)/python -m bench.precision $(ARGS)

bench-connect: setup  ## connect, ask once, close: far away and through the proxy
	@$(BIN)/python -m bench.connect $(ARGS)

histories: setup  ## many clients at work while things break, every read explained; ten minutes
	@$(BIN)/python -m tests.histories $(ARGS)

pool-storm: setup  ## many clients over few connections, each checks its own; CLIENTS=1000 SECONDS=300 POOL_SIZE=50
	@$(BIN)/python -m tests.storm --clients $(or $(CLIENTS),1000) --seconds $(or $(SECONDS),300) \
	  --pool-size $(or $(POOL_SIZE),50) $(ARGS)

fuzz: setup  ## any bytes from clients and origin; ARGS="--inputs 1000000 --seed 2"
	@$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: deploy-check help setup demo test test-matrix check init image loadtest prisma differential precision histories bench bench-compare bench-precision bench-connect bench-memory bench-clients bench-big profile fuzz pool-storm compiled
