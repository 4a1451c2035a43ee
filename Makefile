# The two commands of README.md, and what people who work on the project run. Each sets itself up.

PYTHON ?= python3
# torch first and alone: without it, packages that range over torch bring gigabytes of CUDA libraries.
# Other machines: make test TORCH_INSTALL="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH_INSTALL ?= torch==2.13.0

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install -c constraints.txt
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

.PHONY: run dev test test-slow test-all check test-timm models results notebook peers format clean
.DELETE_ON_ERROR:

run: .venv/base ## say what every image of data/images shows, with the shipped model
	@$(BIN)/clothing predict data/images --truth data --save out/predictions.csv

dev: .venv/dev ## set up torch and the other extras in .venv

test: check ## lint, types, then the tests that are not slow; those on real data run where ../shared is there
	$(PYTEST) -m "not slow"

test-slow: .venv/dev ## the other tests: random networks, kill loops, Ray, whole trainings, hostile requests
	$(PYTEST) -m slow

test-all: test ## every test
	$(MAKE) test-slow

check: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tools/render.py --check
	$(BIN)/python tools/write_reference.py --check
	$(BIN)/python tools/draw_architecture.py --check

test-timm: .venv/dev ## the networks of timm, kept out of .venv, where torchvision may not load
	@test -d build/timm || $(PIP) --no-deps --target build/timm timm torchvision
	PYTHONPATH=build/timm $(BIN)/python -m pytest tests/models/test_timm.py tests/analysis/test_timm_networks.py

models: .venv/dev ## make the shipped models, or those of NAMES="...", from recipes/; interrupted, it goes on (hours)
	$(BIN)/python -m benchmarks models $(NAMES)

DATA ?= datasets/clothing
MEASURE := $(BIN)/python -m benchmarks

results: .venv/dev peers ## measure again what the documents show, on an idle machine (hours; needs FEATURES=FILE)
	$(BIN)/clothing fetch clothing --out $(DATA)
	$(MEASURE) network layers
	$(MEASURE) network what-if
	$(MEASURE) speed predict --photos $(DATA)/images --peers build/peers
	$(MEASURE) speed predict --photos $(DATA)/images --out results/predict-shipped.json \
	    --model wardrobe --model wardrobe-small --model wardrobe-tiny
	$(MEASURE) speed training --data $(DATA)
	$(MEASURE) speed engines --data $(DATA)
	$(MEASURE) serving --photos $(DATA)/images
	$(MEASURE) scoring --photos $(DATA)/images
	$(MEASURE) audit --data $(DATA)
	$(MEASURE) guides
	$(MEASURE) robustness --data $(DATA)
	$(MEASURE) quantization wardrobe --data $(DATA)
	$(MEASURE) pareto --data $(DATA)
	$(MEASURE) experiment robust-training --data $(DATA) --init wardrobe
	for name in ablation few-photos field-size learning-curve; do \
	    $(MEASURE) experiment $$name --data $(DATA) --init "$(FEATURES)" || exit 1; done

notebook: .venv/dev ## run notebooks/exploration.ipynb again, on the drawn data
	$(BIN)/python tools/run_notebook.py

peers: $(patsubst %,build/peers/%/installed,transformers timm ultralytics) ## what "benchmarks speed predict" measures beside us

# Each in an environment of its own: the pipeline of transformers looks for a torchvision that works, the others bring one.
build/peers/%/installed: constraints.txt
	$(PYTHON) -m venv build/peers/$*
	build/peers/$*/bin/pip --disable-pip-version-check --quiet install -c constraints.txt $(TORCH_INSTALL)
	build/peers/$*/bin/pip --disable-pip-version-check --quiet install -c constraints.txt $* pillow packaging
	@touch $@

format: .venv/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.venv/base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@echo "setting up .venv (once; needs the network)"
	@$(PYTHON) -m venv .venv
	@$(PIP) -e .
	@touch $@

.venv/dev: .venv/base
	@echo "setting up torch and the other extras (once; needs the network)"
	@$(PIP) $(TORCH_INSTALL)
	@$(PIP) -e '.[all,dev]'
	@touch $@

clean:
	rm -rf .venv out build dist
