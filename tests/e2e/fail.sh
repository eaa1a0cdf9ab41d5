#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A start of which any one step fails leaves what was there before: nothing, or the data
# path of an earlier agent, which serves on. Of each kind of step the last; ALL=1: each.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../steps.sh"

net_up 2
echo_pod 2
cp -r "$top/tests/manifests/guide" "$work/rules"
set -- -i cli0,pod2 -l "$LISTEN:80" -f "$work/rules"

# try WHAT BEFORE WITHOUT ARGUMENT...: see choose for WITHOUT.
try()
{
	local what=$1 before=$2 without=$3 step name there

	shift 3
	$before "$@"
	rm -f "$work/steps"
	at= life "$@"
	for step in $(choose "$without"); do
		# What a failed start has left alone is there for the next one.
		there=$(leftovers)
		[ -n "$there" ] || $before "$@"
		there=$(leftovers)
		name="$what: $(sed -n "s,^$step ,step &,p" "$work/steps" |
			sed "s,$PIN/,,;q") fails"
		at=$step fails=1 life "$@"
		if [ "$status" = 0 ]; then
			is "$name: it serves all the same, and leaves nothing" "" \
				"$(leftovers)"
			continue
		fi
		has "$name: says so" "weir: " "$(cat "$work/life.log")"
		is "$name: leaves what was there" "$there" "$(leftovers)"
		if [ -n "$there" ]; then
			is "$name: and that serves" 200 "$(status /echo)"
		fi
	done
	weir detach --all --netns "$NODE"
}

try "new" nothing "$gone" "$@"
try "adopted" one_that_stays "$gone" "$@"
export WEIR_NO_TCX=1
try "new, clsact" nothing "$gone|netlink no|mkdir|map|settings|rename" "$@"
