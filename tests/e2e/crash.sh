#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An agent killed right before any of its steps (tests/tools/crash.c) leaves
# something that the next `weir run` or `weir detach --all` puts right.
#
#	ALL=1	at every step; without it, the last one of each kind
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../steps.sh"

net_up 2
echo_pod 2
cp -r "$top/tests/manifests/guide" "$work/rules"
set -- -i pod2 -l "$LISTEN:80" -f "$work/rules"

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

try "new" nothing "" "$@"
try "adopted" one_that_stays "$gone" "$@"
export WEIR_NO_TCX=1
try "new, clsact" nothing "mkdir|map|settings|rename" "$@"
