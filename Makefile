# make demo   sets up .venv and shoots the sample portrait; its last lines name the contact sheet
# make test   sets up .venv and checks everything: style, types, floors, tests
# make soak   the same tests and the long ones
# PYTHON=...  chooses the interpreter (3.11 or 3.12), VENV=... another place for the environment

VENV ?= .venv
BIN := $(VENV)/bin
export PYTHON

.PHONY: demo test soak style set-up wheel clean

demo: set-up
	@mkdir -p out
	@$(BIN)/python examples/portrait.py out/portrait.png
	@echo "shooting the sample portrait (the first run on a machine also compiles its kernels: a minute or two)"
	@$(BIN)/lowkey shoot out/portrait.png --seeds 6 --out out/portrait_lowkey

test: style
	$(BIN)/python -m pytest -n auto --dist loadfile

soak: style
	$(BIN)/python -m pytest -n auto --dist loadfile -m "soak or not soak"

style: set-up
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: set-up
	$(BIN)/python -m build --wheel --no-isolation

set-up:
	@.ci/set-up $(VENV)

clean:
	rm -rf out dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src -name __pycache__ -prune -exec rm -rf {} +
