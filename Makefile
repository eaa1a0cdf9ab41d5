# SPDX-License-Identifier: BSD-2-Clause
#
# make deps     install what building and testing need (Debian packages)
# make          build/weir
# make demo     the guide's scenario with real curl, in namespaces of its own
# make test     every test
# make check    formatting, rooms, static analysis, verifier ceilings
# make bench    load ratios against the direct path and other proxies
#
# V=1 shows the commands.

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
LIBS = -lbpf -lelf -lz -lyaml -ljansson
SAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
      -fno-omit-frame-pointer
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
.PHONY: all clean deps demo test check bench unit
all: $(BUILD)/weir

$(BUILD)/weir: $(OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

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

# tests/unit/x_test.c -> build/unit/x_test, with ASan and UBSan
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))

$(BUILD)/unit/%: tests/unit/%.c $(SAN_OBJ)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(SAN) -o $@ $^ $(LIBS) -lcmocka

unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

clean:
	rm -rf $(BUILD)

-include $(OBJ:.o=.d) $(SAN_OBJ:.o=.d)
