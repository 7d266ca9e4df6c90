# Every target sets itself up: a local .venv from the locked requirements, nothing else on the system is touched.
# PYTHON, CXX and VERILATOR name other tools than the ones found first.

CONFIG ?= small
CHIPS ?= 1
ONLY ?=
WAVES ?=
PYTEST_ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/ready
# PyTorch without the 3 GB of GPU libraries that its wheel on PyPI asks for.
TORCH_CPU := https://download.pytorch.org/whl/cpu

.DELETE_ON_ERROR:
.PHONY: help preflight sim digits test test-slow lint verilog synth bench coverage docs train-llama lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

sim: $(READY) ## write text with a language model on the RTL, checked against the golden model (WAVES=1, CHIPS=4)
	$(PY) scripts/talk.py $(if $(WAVES),--waves) --chips $(CHIPS)

digits: $(READY) ## classify 360 handwritten digits on the RTL, checked against the golden model (WAVES=1)
	$(PY) scripts/digits.py $(if $(WAVES),--waves)

test: $(READY) ## the fast tests, on all cores (PYTEST_ARGS=...)
	$(PY) -m pytest -n auto -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY) ## the tests that take minutes
	$(PY) -m pytest -n auto -m slow $(PYTEST_ARGS)

lint: $(READY) ## ruff over all Python
	$(PY) -m ruff check .

verilog: $(READY) ## write the Verilog of CONFIG to build/verilog/CONFIG
	$(VENV)/bin/takt verilog --config $(CONFIG) -o build/verilog/$(notdir $(basename $(CONFIG)))

synth: $(READY) ## synthesise CONFIG for ECP5 and print sizes per unit
	$(VENV)/bin/takt synth --config $(CONFIG)

bench: $(READY) ## measure the figures and write build/bench.json (ONLY=key for one)
	$(PY) scripts/bench.py $(if $(ONLY),--only $(ONLY))

coverage: $(READY) ## functional, line and toggle coverage
	$(PY) scripts/coverage.py

docs: $(READY) ## regenerate docs/isa.md and docs/config.md
	$(PY) scripts/docs.py

train-llama: $(READY) ## train the shipped language model again (under an hour)
	$(PY) -m pip install -q --disable-pip-version-check --extra-index-url $(TORCH_CPU) --no-build-isolation -e '.[train]'
	$(PY) scripts/train_llama.py

lock: $(READY) ## pin the newest allowed versions in requirements.lock
	$(PY) -m pip install -q pip-tools
	$(PY) -m piptools compile -q --upgrade --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header \
	    --no-emit-index-url --no-emit-find-links -o requirements.lock pyproject.toml

clean: ## remove everything that was built, and the virtual environment
	rm -rf build $(VENV) .pytest_cache .ruff_cache .hypothesis

preflight:
	@scripts/preflight.sh >/dev/null

$(READY): requirements.lock pyproject.toml scripts/preflight.sh | preflight
	@python=$$(scripts/preflight.sh) && echo "Setting up $(VENV) from requirements.lock with $$python (about 100 MB, half a minute) ..." && "$$python" -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
