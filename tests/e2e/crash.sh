#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An agent killed right before any of its steps (tests/tools/crash.c) leaves
# something that the next `weir run` or `weir detach --all` puts right.
#
#	ALL=1	at every step; without it, the last one of each kind
. "$(dirname "$0")/../lib.sh"

net_up 2
echo_pod 2
cp -r "$top/tests/manifests/guide" "$work/rules"
set -- -i pod2 -l "$LISTEN:80" -f "$work/rules"

# A life of an agent with the shim: until it is ready, then it is stopped.
# Its status is in $status.
life()
{
	background env LD_PRELOAD="$BUILD/tools/crash.so" CRASH_LOG="$work/steps" \
		CRASH_AT="${at:-}" "$WEIR" run --netns "$NODE" "$@" \
		>"$work/life.log" 2>&1
	within 30 over_or_ready "$last" || die "neither dead nor ready"
	kill -TERM "$last" 2>/dev/null
	wait "$last"
	status=$?
}

over_or_ready()
{
	grep -q 'weir: ready' "$work/life.log" || ! kill -0 "$1"
}

# choose [PATTERN]: the numbers of the steps worth a try, without kinds that match.
# Of each kind the last; changes of an entry are of the kind of the
# step before them. A map is like any other, settings excepted.
choose()
{
	awk -v all="${ALL:-}" -v without="${1:-^$}" '{
		what = $3
		sub(".*/", "", what)
		if ($2 ~ /mkdir|rmdir/)
			what = ""
		else if ($2 == "unlinkat" || ($2 == "rename" && $3 ~ "/maps/"))
			what = what == "settings" ? what : "map"
		else if ($2 == "bpf")
			what = $3 $4 (is_map_change ? "" : " after " kind)
		kind = $2 " " what $4
		is_map_change = $2 == "bpf"
		if (kind ~ without)
			next
		if (all) {
			print $1
			next
		}
		last[kind] = $1
	} END {
		for (k in last)
			print last[k]
	}' "$work/steps" | sort -nu
}

leftovers()
{
	[ ! -e "$PIN" ] || find "$PIN"
	node tc qdisc show dev pod2 | grep -E 'clsact|ingress'
	node tc filter show dev pod2 ingress 2>/dev/null
	bpftool net show dev pod2 2>/dev/null | grep weir
}

# Every way out in turn: with an agent that serves and is stopped, and without.
tried=0
recover()
{
	local what=$1

	shift
	tried=$((tried + 1))
	if [ $((tried % 2)) = 0 ]; then
		if ! weir detach --all --netns "$NODE" 2>"$work/err"; then
			fail "$what: detach --all: $(cat "$work/err")"
			return
		fi
	else
		at= life "$@"
		if [ "$status" != 0 ]; then
			fail "$what: the next agent: $(cat "$work/life.log")"
			return
		fi
	fi
	is "$what" "" "$(leftovers)"
}

# try WHAT BEFORE WITHOUT ARGUMENT...: a life with each step cut off. BEFORE
# prepares it; see choose for WITHOUT.
try()
{
	local what=$1 before=$2 without=$3 step

	shift 3
	$before "$@"
	rm -f "$work/steps"
	at= life "$@"
	is "$what: a whole life" 0 "$status"
	is "$what: leaves nothing" "" "$(leftovers)"
	for step in $(choose "$without"); do
		$before "$@"
		at=$step life "$@"
		if [ "$status" != 137 ]; then
			fail "$what: step $step was not reached"
			weir detach --all --netns "$NODE"
			continue
		fi
		recover "$what: killed before $(sed -n "s,^$step ,step &,p" "$work/steps" |
			sed "s,$PIN/,,;q")" "$@"
	done
}

nothing()
{
	:
}

one_that_stays()
{
	at= life --keep "$@"
	[ -e "$PIN" ] || fail "nothing to adopt"
}

gone='unlink|rmdir|detach|delete|no filter|no qdisc' # tried with the first

try "new" nothing "" "$@"
try "adopted" one_that_stays "$gone" "$@"
export WEIR_NO_TCX=1
try "new, clsact" nothing "mkdir|map|settings|rename" "$@"
