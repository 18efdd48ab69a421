# Entrenous. `make run` and `make test` do everything on a fresh machine.
SHELL := /bin/bash
GO ?= go
BIN := entrenous
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

# The echo canceller is the distribution's; newer ones have newer names. Which it
# is, is asked when it is needed: on a fresh machine "deps" has installed it by then.
APM = $(shell pkg-config --exists webrtc-audio-processing-2 2>/dev/null && echo apm2 || (pkg-config --exists webrtc-audio-processing-1 2>/dev/null && echo apm1))
TAGS = migrated_fynedo no_animations $(APM)

# The codec, the database engine, what computes ciphers and what shapes and paints
# text start no goroutine and share nothing; watched for races they take most of
# the tests' time, and all that uses them is watched. None of them may use sync.Map:
# the linker keeps one copy of its generic code, and an unwatched one hides that it
# synchronises. Of package media itself only, not of its rooms.
# One processor a package (-cpu 1), because Go 1.26's race detector crashes when
# two run timers of one synctest bubble.
PURE := github.com/thesyncim/gopus github.com/ncruces/go-sqlite3-wasm crypto/internal/fips140 golang.org/x/crypto math filippo.io \
	$(addprefix github.com/go-text/typesetting/,font harfbuzz shaping segmenter) github.com/go-text/render github.com/srwiley \
	$(addprefix golang.org/x/,image/font image/math image/vector text/unicode/bidi) regexp strconv go.uber.org/dig github.com/mr-tron
UNRACED := $(foreach p,$(PURE),-gcflags='$p/...=-race=false') -gcflags='github.com/entrenous/entrenous/media=-race=false'

.PHONY: help run build test short smoke bench scale kubo voice voice-short natlab natlab-short fuzz lint package deps shots clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

run: build ## open the window (without a display: run the node)
	./$(BIN)

build: deps ## build the program
	$(GO) build -tags "$(TAGS)" -o $(BIN) .

# The longest packages first, so that the short ones fill up the second processor.
test: deps ## all tests, with the race detector
	$(GO) vet -tags "$(TAGS)" ./...
	CGO_ENABLED=0 $(GO) build -tags headless -o /dev/null .
	$(GO) test -tags "$(TAGS)" -race $(UNRACED) -cpu 1 -shuffle=on -timeout 20m ./app/node/nodetest ./app/node ./app ./app/ui ./transport ./...

short: ## the quick tests, without the race detector
	$(GO) test -tags "$(TAGS)" -short ./...

smoke: build ## two real windows under a virtual display, typed into like a person would
	ENTRENOUS_SMOKE=$(CURDIR)/$(BIN) ENTRENOUS_TEST_BINARY=$(CURDIR)/$(BIN) $(GO) test -tags "$(TAGS)" -count=1 -timeout 10m -run 'TestSmoke' -v ./app/

shots: build ## the pictures of the README, taken by the program
	mkdir -p assets/pictures
	ENTRENOUS_SMOKE=$(CURDIR)/$(BIN) ENTRENOUS_TEST_BINARY=$(CURDIR)/$(BIN) ENTRENOUS_PICTURES=$(CURDIR)/assets/pictures $(GO) test -tags "$(TAGS)" -count=1 -timeout 10m -run 'TestPictures' ./app/

bench: build ## benchmarks beside the code, then whole-process scenarios, as tables
	$(GO) test -tags "$(TAGS)" -run '^$$' -bench . -benchmem ./identity/... ./transport/... ./media/... ./app/chat/... ./app/store/... ./app/node/...
	ENTRENOUS_CALLS=1000 ENTRENOUS_SCALE=1 $(GO) test -tags "$(TAGS)" -count=1 -timeout 20m -run 'TestManyCallsInARow|TestAFriendWhoLeavesIsLookedFor' -v ./app/node/nodetest/
	ENTRENOUS_BENCH=$(CURDIR)/$(BIN) $(GO) test -tags "$(TAGS)" -count=1 -timeout 30m -run 'TestFigures|TestWindowFigures' -v ./app/

voice: build ## calls over virtual sound devices, measured
	ENTRENOUS_VOICE=1 $(GO) test -tags "$(TAGS)" -count=1 -timeout 30m -run 'TestTheHarness' -v ./media/voice/

voice-short: deps ## the same in less than a minute: fails only if no sound arrives or an echo comes back
	ENTRENOUS_VOICE=short $(GO) test -tags "$(TAGS)" -count=1 -timeout 10m -run 'TestTheHarness' -v ./media/voice/

natlab: build ## real kernels with NAT between them (root)
	ENTRENOUS_NATLAB=$(CURDIR)/$(BIN) $(GO) test -tags "$(TAGS)" -count=1 -timeout 30m -run 'TestNATLab' -v ./app/

natlab-short: build ## the telling part of natlab, in a minute (root)
	ENTRENOUS_NATLAB=$(CURDIR)/$(BIN) ENTRENOUS_NATLAB_SHORT=1 $(GO) test -tags "$(TAGS)" -count=1 -timeout 5m -run '^TestNATLab$$' -v ./app/

kubo: build ## the same with a node of somebody else's (Kubo) as all the internet there is (root)
	@# Kubo's QUIC does not run when built by Go 1.26.
	cd .ci/kubo && GOTOOLCHAIN=go1.25.5 $(GO) build -o $(CURDIR)/dist/ipfs github.com/ipfs/kubo/cmd/ipfs
	ENTRENOUS_NATLAB=$(CURDIR)/$(BIN) ENTRENOUS_KUBO=$(CURDIR)/dist/ipfs $(GO) test -tags "$(TAGS)" -count=1 -timeout 10m -run 'TestKuboLab' -v ./app/

scale: ## how finding people grows with the number of nodes, as a table
	ENTRENOUS_SCALE=1 $(GO) test -tags "$(TAGS)" -count=1 -timeout 20m -run 'TestScale' -v ./transport/

fuzz: ## each fuzz target for half a minute
	@$(GO) list ./... | while read -r p; do \
	  $(GO) test -tags "$(TAGS)" -list '^Fuzz' "$$p" 2>/dev/null | grep '^Fuzz' | while read -r f; do \
	    $(GO) test -tags "$(TAGS)" -run '^$$' -fuzz "^$$f$$" -fuzztime 30s "$$p" || exit 1; done || exit 1; done

lint: deps ## formatting, vet, staticcheck, golangci-lint, known vulnerabilities
	@out=$$($(GO) tool gofumpt -l .); if [ -n "$$out" ]; then echo "not formatted:"; echo "$$out"; exit 1; fi
	$(GO) vet -tags "$(TAGS)" ./...
	$(GO) tool staticcheck -tags "$(TAGS)" ./...
	$(GO) tool -modfile=.ci/lint/go.mod golangci-lint run --build-tags "$(subst $(space),$(comma),$(strip $(TAGS)))"
	@if [ -n "$(VULNDB)" ]; then $(GO) tool govulncheck -db "$(VULNDB)" ./...; else echo "govulncheck: give VULNDB=<database> to look for known vulnerabilities"; fi

package: deps ## a package for this system, in dist/
	mkdir -p dist
	$(GO) build -tags "$(TAGS)" -trimpath -ldflags "-s -w" -o dist/$(BIN) .
	./dist/$(BIN) man dist/man
	./dist/$(BIN) completion bash > dist/$(BIN).bash
	cp README.md LICENSE assets/icons/mark.png dist/
	tar -C dist -czf dist/$(BIN)-$(VERSION).tar.gz $(BIN) man $(BIN).bash README.md LICENSE mark.png

deps: ## install what is missing on this machine
	@bash .ci/deps

clean: ## remove what was built
	rm -rf $(BIN) dist

comma := ,
empty :=
space := $(empty) $(empty)
