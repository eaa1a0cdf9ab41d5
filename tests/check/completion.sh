#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the completion for bash proposes.
# usage: completion.sh [WEIR]
top=$(cd "$(dirname "$0")/../.." && pwd)
weir=${1:-${WEIR:-$top/build/weir}} bad=0
# shellcheck disable=SC1090
source <("$weir" completion bash)

# proposes WORDS WORD...: the last one is to be completed.
proposes()
{
	local wanted=$1

	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_weir
	[ "${COMPREPLY[*]}" = "$wanted" ] && return
	echo "FAIL completion: $*: ${COMPREPLY[*]}, not $wanted"
	bad=1
}

proposes "routes" weir rou
proposes "text wide json" weir status -o ""
proposes "rule ingress backend requests 5xx p99" weir routes --sort ""
proposes "age idle requests up down" weir flows -s ""
proposes "outcomes routes endpoints" weir --pin x top --by ""
proposes "drain" weir endpoint d
proposes "lo" weir run -i lo
proposes "bash" weir completion b
[ "$bad" = 0 ] && echo "PASS completion: words, values, interfaces"
exit $bad
