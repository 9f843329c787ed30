# make demo: set up, then data, training, test, benchmark and pictures (demo/;
#     25 minutes on two cores)
# make demo-video: the same for a memory of past frames (demo_video/; longer)
# make claims: the papers' claims in miniature, into docs/results.md (hours;
#     CLAIMS_ARGS=--reduced for one or two)
# make test: set up, then lint and tests
# make slow: the tests that take long as well, and MMPretrain's
# make docs: the site, docs/_build/html
# make environments: the tests with the lowest and the newest versions
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.rtseg-ready
## what the demos need of it: no tests, documents, exports and pages
LIGHT := $(VENV)/.rtseg-light
PRETRAIN := build/pretrain
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check \
	-c requirements/constraints.txt

.PHONY: help setup demo demo-video claims test slow \
	pretrain lint types docs environments clean

help:
	@sed -n 's/^# //p' Makefile

setup: $(READY)

## torch's setuptools bound, mmengine's pkg_resources and openxlab's old pin do
## not resolve by themselves; constraints.txt holds the versions that do.
$(LIGHT): setup.py requirements/*.txt
	@python=$(BIN)/python; test -x $$python || python=$(PYTHON); \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "error: $$python is no Python 3.11 or later, which the pinned" \
	    "versions need; make PYTHON=python3.11 VENV=.venv311, say" >&2; \
	    exit 1; }
	@test -x $(BIN)/python || { echo "== making $(VENV)"; \
	    $(PYTHON) -m venv $(VENV); }
	@echo "== installing what is missing (constraints: the tested versions)"
	@$(INSTALL) setuptools wheel
	@$(INSTALL) torch
	@$(INSTALL) --no-build-isolation -e ".[lite,optional]" openmim
	@touch $@

$(READY): $(LIGHT)
	@$(INSTALL) --no-build-isolation \
	    -e ".[lite,optional,onnx,openvino,web,docs,tests]"
	@touch $@

demo: $(LIGHT)
	$(BIN)/python tools/misc/street_demo.py $(DEMO_ARGS)

demo-video: $(LIGHT)
	$(BIN)/python tools/misc/street_video_demo.py $(DEMO_ARGS)

claims: $(LIGHT)
	$(BIN)/python tools/misc/claims.py $(CLAIMS_ARGS)

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python -m sphinx -q -W --keep-going -d docs/_build/doctrees \
	    docs docs/_build/html

environments:
	$(PYTHON) tools/misc/test_environments.py

## what a file sets up is set up once; a worker that dies ends it
test: lint types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile \
	    --no-loadscope-reorder --max-worker-restart 0 -m "not slow" $(TEST_ARGS)

slow: lint pretrain
	$(BIN)/python -m pytest $(TEST_ARGS)

## The registry's torchvision is for GPUs, and stands in the way where torch is
## for processors: with MMPretrain it lies apart, for the test that needs it.
pretrain: $(READY)
	@$(INSTALL) --no-deps --upgrade --target $(PRETRAIN) torchvision \
	    mmpretrain einops mat4py modelindex importlib_metadata \
	    lazy_importer zipp
	PYTHONPATH=$(PRETRAIN) $(BIN)/python -m pytest -m pretrain \
	    tests/configs/test_pretrain.py

clean:
	rm -rf docs/_build docs/networks demo demo_video work_dirs build dist .pytest_cache .ruff_cache
