# SPDX-License-Identifier: BSD-2-Clause
#
# One make for everything, not recursive, out of tree: all it makes lies below $(BUILD). A file is built because of the
# room that it lies in; a new file needs no line here.
#
#   bpf/X.bpf.c            $(BUILD)/bpf/X.bpf.o -> $(BUILD)/bpf/X.skel.h, included as <X.skel.h>, its names begin with X_bpf
#   user/ROOM/*.c          $(BUILD)/user/ROOM.a; agent/main.c and cli/main.c with their archives: weir-agent and weir
#   tests/{unit,model,bpf,net}   each .c that has a main() is a program $(BUILD)/tests/..., the others there are linked to it;
#                          those named test_* speak TAP and are run by tests/run, the rest are tools of the .bats files
#   tests/fuzz/*.c         libFuzzer programs, with user/{lib,net,model} built with the sanitizers
#   tools/bench tools/lab  programs likewise; their *.bpf.c as in bpf/

BUILD   ?= build
PREFIX  ?= /usr
VERSION ?= 0.1.0
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG   ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
O       := $(BUILD)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
	-Wwrite-strings -Wformat=2 -Wnull-dereference -Werror
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu17 -Wall -Wextra -Wshadow -Werror \
	-idirafter /usr/include/$(shell uname -m)-linux-gnu
CFLAGS  ?= -O2 -g
C_FLAGS := $(CFLAGS) -std=gnu17 -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"' $(WARN) -MD -MP -pthread
SKELDIR := -isystem $O/bpf -isystem $O/tools/bench -isystem $O/tests/bpf
LDLIBS  := -Wl,--as-needed -lbpf -lelf -lz -lmnl -ljansson

# ---- what there is ----

sources  = $(filter-out %.bpf.c,$(wildcard $1/*.c))
programs = $(if $(call sources,$1),$(shell grep -l '^int main\b' $(call sources,$1)))
objects  = $(patsubst %.c,$O/%.o,$1)

BPF_SRC  := $(wildcard bpf/*.bpf.c tools/bench/*.bpf.c tools/lab/*.bpf.c tests/bpf/*.bpf.c)
BPF_OBJ  := $(BPF_SRC:%.c=$O/%.o)
SKELS    := $(patsubst %.bpf.c,$O/%.skel.h,$(filter-out tools/lab/%,$(BPF_SRC)))
ROOMS    := agent cli plane model net lib
room_src  = $(filter-out user/$1/main.c,$(call sources,user/$1))
below     = $(foreach room,$1,$O/user/$(room).a)

BINS     := $(if $(wildcard user/agent/main.c),$O/weir-agent) $(if $(wildcard user/cli/main.c),$O/weir)
MANPAGES := $(patsubst user/man/%.scd,$O/man/%,$(wildcard user/man/*.scd))

TEST_DIRS := tests/unit tests/model tests/bpf tests/net
TEST_BINS := $(foreach dir,$(TEST_DIRS),$(patsubst %.c,$O/%,$(call programs,$(dir))))
LAYOUT2   := $(if $(wildcard user/agent/main.c),$O/tests/weir-agent-layout2)
BENCHES   := $(patsubst %.c,$O/%,$(call programs,tools/bench))
LAB_BINS  := $(patsubst %.c,$O/%,$(call programs,tools/lab))
FUZZERS   := $(patsubst %.c,$O/%,$(wildcard tests/fuzz/*.c))

# ---- targets ----

all: $(BINS) $(BPF_OBJ) $(SKELS) $(LAB_BINS) $(MANPAGES) ## build everything that is installed (the default)
tests: all $(TEST_BINS) $(LAYOUT2) $(FUZZERS) ## build the tests, run none
programs: all $(TEST_BINS) $(BENCHES) ## every program but the fuzzers

demo: ## install what is missing, build, show the main job in network namespaces (root)
	tools/deps
	$(MAKE) --no-print-directory -j$$(nproc) all
	BUILD=$(BUILD) tools/demo

test: ## install what is missing, build, run every test (root)
	tools/deps
	$(MAKE) --no-print-directory -j$$(nproc) tests programs
	BUILD=$(BUILD) tests/run

lint: ## the house's rules: layers, sizes, format, static checks, both compilers
	BUILD=$(BUILD) tools/lint

bench: ## measure the data path and the agent (root)
	$(MAKE) --no-print-directory all $(BENCHES)
	for bench in $(BENCHES); do echo "== $$bench"; $$bench || exit 1; done

FUZZ_SECONDS ?= 60
fuzz: $(FUZZERS) ## fuzz every parser, FUZZ_SECONDS (60) each
	for fuzzer in $(FUZZERS); do echo "== $$fuzzer"; mkdir -p $O/corpus/$${fuzzer##*/}; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 -artifact_prefix=$O/corpus/ \
			$O/corpus/$${fuzzer##*/} tests/fuzz/seeds/$${fuzzer##*/} || exit 1; done

install: all ## copy to $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $O/weir-agent $(DESTDIR)$(PREFIX)/sbin/
	install -m 0755 $O/weir $(DESTDIR)$(PREFIX)/bin/
	for page in $(MANPAGES); do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	for script in $(wildcard user/completion/*.bash); do install -D -m 0644 $$script \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$(basename $$script .bash) || exit 1; done
	test -e $(DESTDIR)/etc/weir/weir.conf || install -D -m 0644 user/weir.conf.example $(DESTDIR)/etc/weir/weir.conf

soak: $O/tests/model/test_walks $O/tests/model/test_history ## the long versions of the model tests: 10^8 walks, 10^8 packets a history
	seq $$(nproc) | xargs -P0 -I{} $O/tests/model/test_walks $$((100000000 / $$(nproc))) {}
	$O/tests/model/test_history 100000000

clean: ## remove $(BUILD)
	rm -rf $(BUILD)

help: ## this list
	sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

ifndef V # make V=1 shows the commands
.SILENT:
endif
.PHONY: all tests programs demo test lint bench fuzz soak install clean help
.DELETE_ON_ERROR:
.SECONDARY:

# ---- BPF: object, then skeleton ----

$O/%.bpf.o: %.bpf.c
	mkdir -p $(@D)
	echo "  BPF      $@"
	$(CLANG) $(BPF_CFLAGS) -MD -MP -MF $(@:.o=.d) -c $< -o $@

$O/%.skel.h: $O/%.bpf.o
	echo "  SKEL     $@"
	$(BPFTOOL) gen skeleton $< name $(*F)_bpf > $@

# ---- user space: objects, an archive a room, programs ----

$O/%.o: %.c | $(SKELS)
	mkdir -p $(@D)
	echo "  CC       $@"
	$(CC) $(C_FLAGS) $(SKELDIR) -c $< -o $@

define archive
$O/user/$1.a: $(call objects,$(call room_src,$1))
	mkdir -p $$(@D) && rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call archive,$(room))))

link = echo "  LINK     $@" && $(CC) $(C_FLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

$O/weir-agent: $O/user/agent/main.o $(call below,agent plane model net lib)
	$(link)

$O/weir: $O/user/cli/main.o $(call below,cli lib)
	$(link)

$O/man/%: user/man/%.scd
	mkdir -p $(@D)
	echo "  MAN      $@"
	scdoc < $< > $@

# ---- tests, benches, the lab's tools: a program for each file with a main(), with the other files beside it ----

define program
$1: $1.o $(call objects,$(filter-out $(call programs,$2),$(call sources,$2))) $3
	$$(link) -lcmocka -lm
endef
programs_of = $(foreach src,$(call programs,$1),$(eval $(call program,$(src:%.c=$O/%),$1,$2)))
$(foreach dir,$(TEST_DIRS) tools/bench,$(call programs_of,$(dir),$(call below,plane model net lib)))
$(call programs_of,tools/lab)

# ---- a second agent with another map layout, for the upgrade tests: the rooms that know abi.h built once more ----

O2       := $O/layout2
L2_ROOMS := agent plane model
L2_OBJ   := $(patsubst %.c,$(O2)/%.o,$(foreach room,$(L2_ROOMS),$(call room_src,$(room))))

$(O2)/%.bpf.o: %.bpf.c
	mkdir -p $(@D)
	echo "  BPF      $@"
	$(CLANG) $(BPF_CFLAGS) -DWEIR_LAYOUT=2 -MD -MP -MF $(@:.o=.d) -c $< -o $@

$(O2)/%.o: %.c | $(O2)/bpf/weir.skel.h
	mkdir -p $(@D)
	echo "  CC       $@"
	$(CC) $(C_FLAGS) -DWEIR_LAYOUT=2 -isystem $(O2)/bpf -c $< -o $@

$(O2)/user.a: $(L2_OBJ)
	mkdir -p $(@D) && rm -f $@
	$(AR) rcs $@ $^

$O/tests/weir-agent-layout2: $(O2)/user/agent/main.o $(O2)/user.a $(call below,net lib)
	mkdir -p $(@D)
	$(link)

# ---- fuzzers ----

FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_SRC   := $(foreach room,model net lib,$(call sources,user/$(room)))
FUZZ_OBJ   := $(patsubst %.c,$O/fuzz/%.o,$(FUZZ_SRC))

$O/fuzz/%.o: %.c
	mkdir -p $(@D)
	echo "  CC       $@"
	$(CLANG) $(filter-out -O2,$(C_FLAGS)) $(FUZZ_FLAGS) -c $< -o $@

$O/fuzz/user.a: $(FUZZ_OBJ)
	mkdir -p $(@D) && rm -f $@
	$(AR) rcs $@ $^

$(FUZZERS): $O/tests/fuzz/%: $O/fuzz/tests/fuzz/%.o $O/fuzz/user.a
	mkdir -p $(@D)
	echo "  LINK     $@"
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ -lmnl -lm

-include $(shell test -d $O && find $O -name '*.d')
