#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# weir(8) names every command and every option that `weir help` names, each command has
# a page that shows them, and mandoc has nothing to say about any of them.
# usage: man.sh [WEIR [DIRECTORY]]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
weir=${1:-${WEIR:-$top/build/weir}} pages=${2:-${BUILD:-$top/build}/man} bad=0
page=$pages/weir.8

fail()
{
	echo "FAIL man: $*"
	bad=1
}

commands=$("$weir" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail "no commands in the help"
for c in $commands; do
	grep -Eq "^\.It Ic $c( |$)" "$page" || fail "$c is missing"
	own=$(mandoc -T ascii "$pages/weir-$c.8" | sed 's/.\x08//g') || own=
	for o in $("$weir" help "$c" | grep -Eo '^  (-.|  )[ ,]*--[a-z-]+' |
		sed 's/.*--//' | sort -u); do
		grep -Eq "^\.It .*Fl -$o( |$)" "$page" || fail "--$o of $c is missing"
		printf '%s' "$own" | grep -q -e "--$o" || fail "weir-$c.8: --$o is missing"
	done
done
lint=$(mandoc -T lint -W warning "$pages"/*.8) || fail "$lint"
[ "$bad" = 0 ] && echo "PASS man: every command and option, no warning of mandoc"
exit $bad
