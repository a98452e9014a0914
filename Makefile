# The face of everything a person runs. Each recipe calls cargo or one script.
DEMO ?=
.PHONY: demo test soak bench lint fmt train deps help

help: ## show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## the port of Bari on real wires, simulated, in your browser (DEMO="--for 60s --headless --summary FILE --seed 1")
	@scripts/demo.sh $(DEMO)

test: ## every test; installs what it needs
	@scripts/test.sh

soak: ## the gate killed 200 times at random under load, some ten minutes (SOAK_KILLS, SOAK_LANES, SOAK_SEED)
	@scripts/soak.sh

bench: ## figures as ratios against a peer or a physical limit in the same run
	@scripts/bench.sh

lint: ## formatting and lints as CI holds them
	@scripts/lint.sh

fmt: ## format the Rust code
	@cargo fmt --all

train: ## train the reading models again (says how long)
	@$(MAKE) -C lpr-ocr/training train

deps: ## install Debian's packages for building and testing
	@scripts/deps.sh test
