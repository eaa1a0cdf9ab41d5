#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# pages.sh WEIR DIR: weir(8) and a page for each command into DIR. Synopsis and options
# come from the table that gives --help, the prose is what weir(8) says of the command.
set -eu
weir=$1 dir=$2
page=$(dirname "$0")/weir.8
date=$(sed -n 's/^\.Dd //p' "$page")

rm -rf "$dir"
mkdir -p "$dir"
"$weir" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$dir/commands"
while read -r name; do
	# .Nm alone means the program, which is not this page's name.
	awk -v name="$name" '
		/^\.It Ic/ || (/^\.El/ && !lists) { of = "" }
		of == name && /^\.Bl/ { lists++ }
		of == name && /^\.El/ { lists-- }
		of == name { sub(/^\.Nm( weir)?/, ".Nm weir"); print }
		/^\.It Ic/ { of = $3 }
	' "$page" >"$dir/prose"
	[ -s "$dir/prose" ] || { echo "$page: nothing about $name" >&2; exit 1; }
	"$weir" help "$name" --man "$date" |
		sed -e "/^@PROSE@\$/{r $dir/prose" -e 'd}' >"$dir/weir-$name.8"
done <"$dir/commands"
rm "$dir/prose" "$dir/commands"
cp "$page" "$dir/weir.8"
