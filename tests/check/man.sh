#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The man page names every command and every option that `weir help` names.
# usage: man.sh WEIR MANPAGE
set -eu
weir=$1 page=$2 bad=0

commands=$("$weir" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || { echo "man: no commands in the help" >&2; exit 1; }
for c in $commands; do
	grep -Eq "^\.It Ic $c( |$)" "$page" || { echo "man: $c is missing"; bad=1; }
	for o in $("$weir" help "$c" | grep -Eo '^  (-.|  )[ ,]*--[a-z-]+' |
		sed 's/.*--//' | sort -u); do
		grep -Eq "^\.It .*Fl -$o( |$)" "$page" ||
			{ echo "man: --$o of $c is missing"; bad=1; }
	done
done
exit $bad
