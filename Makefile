# Fliq for Nginx.  The recipes only call tools/, where each script says what
# it does and which variables it reads; BUILD=sanitize, CC=clang and
# NGINX_SRC=dir are the most useful ones.

.DEFAULT_GOAL = build
.NOTPARALLEL:

DIR = run

all: build

build:           ## build the module: build/ngx_http_fliq_module.so
	@tools/build

nginx:           ## build the module and nginx itself from NGINX_SRC
	@tools/build nginx

run:             ## install, build, start a sandbox in DIR, fire a job
	@tools/run $(DIR) $(if $(PORT),--port $(PORT))

stop:            ## stop that sandbox
	@bin/fliq-sandbox stop --dir $(DIR)

test:            ## install, build, run the tests (T="t/x.t" for some)
	@tools/test $(T)

test-long:       ## the tests that take minutes, too
	@FLIQ_TEST_LONG=1 tools/test $(T)

test-sanitize:   ## the tests with sanitizers in the module and in nginx
	@tools/install-deps build test
	@src=$$(tools/fetch-nginx) \
		&& NGINX_SRC=$$src BUILD=sanitize tools/test $(T)

fuzz:            ## fuzz what reads input, SECONDS=60 or HOURS=n each
	@tools/fuzz $(if $(HOURS),$$(($(HOURS) * 3600)),$(or $(SECONDS),60))

bench:           ## measure everything, write docs/performance.md
	@tools/install-deps build run bench
	@bench/run $(PARTS)

bench-short:     ## see that the benchmark works
	@tools/install-deps build run bench
	@BENCH_SHORT=1 bench/run $(PARTS)

lint:            ## check style and structure, analyse C and shell code
	@tools/lint

format:          ## mend what of the style a program can
	@tools/style --fix

clean:           ## remove build/; a sandbox keeps its data
	@rm -rf build t/servroot*

help:
	@sed -n 's/^\([a-z-]*\): *##/  make \1\t/p' Makefile | expand -t 20

.PHONY: all build nginx run stop test test-long test-sanitize fuzz bench
.PHONY: bench-short lint format clean help
