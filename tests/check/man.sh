#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The man page names every command and every option that `weir help` names, and
# mandoc has nothing to say about it.
# usage: man.sh [WEIR [MANPAGE]]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
weir=${1:-${WEIR:-$top/build/weir}} page=${2:-$top/docs/man/weir.8} bad=0

fail()
{
	echo "FAIL man: $*"
	bad=1
}

commands=$("$weir" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail "no commands in the help"
for c in $commands; do
	grep -Eq "^\.It Ic $c( |$)" "$page" || fail "$c is missing"
	for o in $("$weir" help "$c" | grep -Eo '^  (-.|  )[ ,]*--[a-z-]+' |
		sed 's/.*--//' | sort -u); do
		grep -Eq "^\.It .*Fl -$o( |$)" "$page" || fail "--$o of $c is missing"
	done
done
lint=$(mandoc -T lint -W warning "$page") || fail "$lint"
[ "$bad" = 0 ] && echo "PASS man: every command and option, no warning of mandoc"
exit $bad
