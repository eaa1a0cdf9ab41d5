# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Lives of an agent in which one step is its last, or fails (tests/tools/crash.c).
# Sourced after lib.sh by tests that have one pod, pod2.

# A life of an agent with the shim: until it is ready, then it is stopped.
# Its status is in $status.
life()
{
	background env LD_PRELOAD="$BUILD/tools/crash.so" CRASH_LOG="$work/steps" \
		CRASH_AT="${at:-}" ${fails:+CRASH_FAILS=1} "$WEIR" run --netns "$NODE" "$@" \
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

one_that_stays()
{
	at= life --keep "$@"
	[ -e "$PIN" ] || fail "nothing to adopt"
}

nothing()
{
	:
}

# Kinds of steps that take away.
gone='unlink|rmdir|detach|delete|no filter|no qdisc'
