# make run    set up what is needed and open the app      make test   … and pass the tests
# make setup  the set-up alone                            make setup-train   … with what training needs
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help setup setup-train setup-test run test lock clean

help:
	@sed -n 's/^# //p' Makefile | head -2

setup: .venv/.label
setup-train: .venv/.train
setup-test: .venv/.test

.venv/bin/python:
	@sh scripts/venv.sh $(PYTHON)

.venv/.label: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing what labelling needs (some 280 MB to download) …"
	@$(INSTALL) -e .
	@touch $@

.venv/.train: .venv/.label
	@echo "Installing what training needs (the CPU build of torch, some 500 MB more to download) …"
	@sh scripts/torch.sh $(BIN)/python
	@$(INSTALL) -e '.[train]'
	@touch $@

.venv/.test: .venv/.train
	@$(INSTALL) -e '.[train,cluster,test]'
	@sh scripts/browser.sh $(BIN)/python
	@touch $@

run: setup
	@$(BIN)/python app.py

test: setup-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest

lock: setup-test
	@{ echo "# Exact versions of everything that make installs; \`make lock\` writes it anew."; \
	   $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.txt

clean:
	rm -rf .venv build *.egg-info
