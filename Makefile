# SPDX-License-Identifier: BSD-2-Clause
#
# make deps     install what building and testing need (Debian packages)
# make          build/weir
# make demo     the guide's scenario with real curl, in namespaces of its own
# make test     every test
# make check    formatting, rooms, static analysis, verifier ceilings
# make bench    load next to the direct path and other proxies; the way of a rule
# make fuzz     every fuzzer for a while
# make install  PREFIX=/usr/local
#
# V=1 shows the commands; with tests, all they say. J=N runs N tests at a time.

BUILD ?= build
CC = gcc
CLANG ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
VERSION := 0.1.0
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
       -Wno-unused-parameter -Wpointer-arith -Wvla
CPPFLAGS = -Iinclude -Ibpf -Iuser -I$(BUILD) -D_GNU_SOURCE \
	   -DWEIR_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 $(WARN) $(if $(WERROR),-Werror)
LIBS = -lmicrohttpd -lcap-ng -lseccomp -lbpf -lelf -lz -lyaml -ljansson
SAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
      -fno-omit-frame-pointer -Wno-format-truncation
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 \
	     -I/usr/include/$(shell uname -m)-linux-gnu -Iinclude -Ibpf \
	     -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror)

PURE := $(wildcard bpf/pure/*.c)
LIB_SRC := $(PURE) $(wildcard user/base/*.c user/k8s/*.c user/route/*.c \
	   user/dp/*.c user/agent/*.c)
CMD_SRC := $(wildcard user/cmd/*.c) $(wildcard user/main.c)
OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(LIB_SRC) $(CMD_SRC))
SAN_OBJ = $(patsubst %.c,$(BUILD)/san/%.o,$(LIB_SRC))
SKEL = $(patsubst bpf/%.bpf.c,$(BUILD)/%.skel.h,$(wildcard bpf/*.bpf.c))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean deps demo test test-build check check-build bench unit fuzz install
all: $(BUILD)/weir $(BUILD)/man/weir.8

$(BUILD)/weir: $(OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

# A page for each command too.
$(BUILD)/man/weir.8: $(BUILD)/weir docs/man/weir.8 docs/man/pages.sh
	$(call say,MAN,$(@D))
	$(Q)docs/man/pages.sh $(BUILD)/weir $(@D)

$(BUILD)/obj/%.o: %.c Makefile | $(SKEL)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: %.c Makefile | $(SKEL)
	$(call say,CC-SAN,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN) -MMD -MP -c -o $@ $<

# One translation unit per BPF object: weir.bpf.c includes bpf/lib and bpf/pure.
$(BUILD)/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/lib/*.h bpf/pure/*.[ch] include/weir/*.h) Makefile
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

# Tests. Units and twins carry ASan and UBSan.
#
#	tests/unit/x_test.c	pure functions and files, no privilege
#	tests/twin/x_test.c	the same bytes through the kernel and natively
#	tests/prog/x_test.c	the loaded programs, BPF_PROG_TEST_RUN and devices
LIB_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(LIB_SRC))
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))
TWIN = $(patsubst tests/twin/%.c,$(BUILD)/twin/%,$(wildcard tests/twin/*_test.c))
PROG = $(patsubst tests/prog/%.c,$(BUILD)/prog/%,$(wildcard tests/prog/*_test.c))
PROG_LIB = $(patsubst tests/prog/%.c,$(BUILD)/prog/%.o, \
	   $(filter-out %_test.c,$(wildcard tests/prog/*.c)))
PROG_BENCH := $(patsubst tests/prog/%.c,$(BUILD)/prog/%.o, \
	     $(shell grep -l '^BENCH_MAIN' tests/prog/*_test.c))
TEST_CC = $(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -MF $@.d

# Archives: a test links what it reaches and no more.
$(BUILD)/libweir.a: $(LIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libweir-san.a: $(SAN_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libweir-san.a Makefile
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(TEST_CC) $(SAN) -o $@ $< $(BUILD)/libweir-san.a $(LIBS) -lcmocka

$(BUILD)/twin.bpf.o: tests/twin/twin.bpf.c $(wildcard bpf/pure/*.[ch] include/weir/*.h) Makefile
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/twin/%: tests/twin/%.c $(BUILD)/libweir-san.a $(BUILD)/twin.skel.h Makefile
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(TEST_CC) $(SAN) -o $@ $< $(BUILD)/libweir-san.a $(LIBS) -lcmocka

$(BUILD)/prog/%.o: tests/prog/%.c Makefile | $(SKEL)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/prog/%: $(BUILD)/prog/%.o $(PROG_LIB) $(BUILD)/libweir.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $@.o $(PROG_LIB) $(BUILD)/libweir.a $(LIBS) -lcmocka

# All tests on the bench: it is set up once.
$(BUILD)/prog/bench_tests: $(PROG_BENCH) $(PROG_LIB) $(BUILD)/libweir.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/bench/%: tests/bench/%.c $(PROG_LIB) $(BUILD)/libweir.a Makefile
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$(Q)$(TEST_CC) -o $@ $< $(PROG_LIB) $(BUILD)/libweir.a $(LIBS) -lcmocka

$(BUILD)/regex/%: tests/regex/%.c $(BUILD)/libweir-san.a Makefile
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(TEST_CC) $(SAN) -o $@ $< $(BUILD)/libweir-san.a $(LIBS) -lpcre2-8

$(BUILD)/kernel/loadall: tests/kernel/loadall.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -o $@ $< -lbpf

# Tools of the tests that are programs.
$(BUILD)/tools/%: tests/tools/%.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -o $@ $<

$(BUILD)/tools/%.so: tests/tools/%.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -shared -fPIC -o $@ $<

# Fuzzers: everything that they reach is compiled with clang's instrumentation.
FUZZ = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SRC = $(PURE) $(wildcard user/base/*.c user/k8s/*.c user/route/*.c)
FUZZ_OBJ = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(FUZZ_SRC))
FUZZ_FLAGS = -std=gnu11 -O1 -g -fno-omit-frame-pointer
FUZZ_SECONDS ?= 30

$(BUILD)/fuzz/obj/%.o: %.c Makefile | $(SKEL)
	$(call say,CC-FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) \
		-fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(FUZZ_OBJ)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(CPPFLAGS) -Itests $(FUZZ_FLAGS) \
		-fsanitize=fuzzer,address,undefined -MMD -MP -MF $@.d \
		-o $@ $< $(FUZZ_OBJ) $(LIBS)

fuzz: $(FUZZ)
	$(Q)for f in $(FUZZ); do \
		mkdir -p $$f.corpus && (cd $(BUILD)/fuzz && \
		$(abspath $(BUILD))/fuzz/$$(basename $$f) -max_total_time=$(FUZZ_SECONDS) \
			-print_final_stats=0 -verbosity=0 -timeout=10 \
			$$(basename $$f).corpus) || exit 1; \
	done

unit: $(UNIT)
	$(Q)BUILD=$(abspath $(BUILD)) tests/run.sh unit

# Everything, or some suites or tests: make test T=unit, make test T="e2e/guide prog"
SUITES = unit twin prog regex routing raw e2e kernel
BUILDS_unit = $(UNIT)
BUILDS_twin = $(TWIN)
BUILDS_prog = $(PROG)
BUILDS_regex = $(BUILD)/regex/pcre2_diff
BUILDS_e2e = $(BUILD)/tools/link $(BUILD)/tools/crash.so
BUILDS_kernel = $(BUILD)/kernel/loadall $(BUILD)/tools/link $(BUILD)/prog/bench_tests
TESTS = $(or $(T),$(SUITES))
MAKE_ALL = $(MAKE) --no-print-directory \
	   $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

test-build: all $(foreach t,$(TESTS),$(BUILDS_$(firstword $(subst /, ,$(t)))))
test: deps
	+$(Q)$(MAKE_ALL) test-build
	$(Q)BUILD=$(abspath $(BUILD)) tests/run.sh $(TESTS)

check-build: all $(BUILD)/kernel/loadall
check: deps
	+$(Q)$(MAKE_ALL) check-build
	$(Q)BUILD=$(abspath $(BUILD)) tests/run.sh $(or $(T),check)

demo: deps
	+$(Q)$(MAKE_ALL) all
	$(Q)BUILD=$(abspath $(BUILD)) tests/demo.sh

bench: deps
	+$(Q)$(MAKE_ALL) all $(BUILD)/bench/steps
	$(Q)BUILD=$(abspath $(BUILD)) tests/bench/bench.sh $(BENCH)

# Debian 12 packages: to build, then to test.
DEPS = clang llvm libclang-rt-14-dev gcc make git libc6-dev linux-libc-dev libbpf-dev \
       libelf-dev zlib1g-dev libyaml-dev libjansson-dev bpftool \
       libcmocka-dev libpcre2-dev iproute2 netbase util-linux procps ethtool curl jq python3 \
       nginx-light haproxy wrk qemu-system-x86 busybox-static xz-utils \
       libcap-ng-dev libseccomp-dev libcap2-bin python3-yaml libmicrohttpd-dev \
       clang-format cppcheck mandoc
deps:
	$(Q)missing=; for p in $(DEPS); do \
		dpkg-query -W -f '$${db:Status-Status}\n' $$p 2>/dev/null | \
			grep -qx installed || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	echo "  APT     $$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && \
	apt-get install -y -qq --no-install-recommends $$missing >/dev/null

PREFIX ?= /usr/local
install: all
	install -D -m 755 $(BUILD)/weir $(DESTDIR)$(PREFIX)/sbin/weir
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $(BUILD)/man/*.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/weir docs/*.md
	$(BUILD)/weir completion bash | install -D -m 644 /dev/stdin \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/weir
	$(BUILD)/weir completion zsh | install -D -m 644 /dev/stdin \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_weir
	$(BUILD)/weir completion fish | install -D -m 644 /dev/stdin \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/weir.fish

clean:
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(SAN_OBJ:.o=.d) $(FUZZ_OBJ:.o=.d) $(PROG_LIB:.o=.d) \
	$(PROG:=.d) $(addsuffix .d,$(UNIT) $(TWIN) $(FUZZ) $(BUILDS_regex))
