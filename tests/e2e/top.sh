#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# weir top on a terminal: keys, sizes, and the terminal as it was however it ends.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
weir_start -f "$top/tests/manifests/guide"
get /echo/x >/dev/null
get /other >/dev/null

# on_terminal SIZE STEP... -- ARGUMENT...: weir top there; says how it ended.
on_terminal()
{
	local size=$1 steps=()

	shift
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	env -u COLUMNS -u NO_COLOR TERM=xterm LC_ALL=C.UTF-8 "$top/tests/tools/terminal.py" \
		"$size" "${steps[@]}" -- "$WEIR" top "$@" >"$work/terminal"
	[ $? = 0 ] || cat "$work/terminal"
	head -3 "$work/terminal" | xargs
}

well="exit 0 modes restored page restored"
is "q quits" "$well" "$(on_terminal 30x120 wait=req_routed send=q --)"
for signal in INT TERM HUP QUIT; do
	is "SIG$signal" "$well" "$(on_terminal 30x120 wait=req_routed "kill=$signal" --)"
done
is "^C" "$well" "$(on_terminal 30x120 wait=req_routed send=$'\003' --)"
is "^Z gives the terminal back, SIGCONT takes it again" "$well" \
	"$(on_terminal 30x120 wait=req_routed send=$'\032' stopped kill=CONT \
		wait=req_routed send=q --)"
is "ends after -n looks" "$well" "$(on_terminal 30x120 -- -n 2 -d 0.05)"
is "TAB, e: views" "$well" "$(on_terminal 30x120 "wait=outcomes by PER SECOND" 'send=\t' \
	"wait=routes by REQ/S" send=e "wait=endpoints by CONN/S" send=e \
	"wait=routes by REQ/S" 'send=\t\t' "wait=outcomes by PER SECOND" send=q --)"
is "s, r: order" "$well" "$(on_terminal 30x120 "wait=by PER SECOND" send=s \
	"wait=by COUNT" send=ss "wait=by MEANING" send=s "wait=by PER SECOND" send=r \
	"wait=reversed" send=r gone=reversed send=q --)"
is "h: help" "$well" "$(on_terminal 30x120 "wait=h help" send=h "wait=q quit" send=h \
	"gone=q quit" send=q --)"
# Between spaces: "connect" is no "connections".
last=$(weir top -n 1 -d 0.01 --sort outcome --no-headers | tail -1 | awk '{print " " $3 " "}')
first=$(weir top -n 1 -d 0.01 --sort outcome --no-headers | head -1 | awk '{print " " $3 " "}')
is "arrows, PgUp, PgDn, Home, End: scrolling" "$well" \
	"$(on_terminal 6x120 "wait=$first" "gone=$last" 'send=\e[F' "wait=$last" \
		"gone=$first" 'send=\e[H' "wait=$first" 'send=\e[6~' "gone=$first" \
		'send=\e[5~' "wait=$first" 'send=\e[B' "gone=$first" 'send=\eOA' \
		"wait=$first" send=q -- --sort outcome)"
is "a larger terminal is filled" "$well" "$(on_terminal 6x120 "wait=$first" \
	"gone=$last" size=60x120 "wait=$last" send=q -- -d 3600 --sort outcome)"
is "a narrower one: cells are cut" "$well" "$(on_terminal 30x120 gone=… \
	wait=req_routed size=30x50 wait=… send=q -- -d 3600)"
is "an error" "exit 1 modes restored page restored" \
	"$(WEIR_PIN=$PIN/none on_terminal 30x120 --)"

# Routes that are asked while somebody looks.
touch "$work/asking"
while [ -e "$work/asking" ]; do get /echo/x >/dev/null; done &
asker=$!
is "routes: what moves is there" "$well" "$(on_terminal 30x120 wait=/echo \
	send=q -- --by routes -d 0.2)"
rm "$work/asking"
wait $asker

weir top -n 1 -d 0.01 </dev/null >"$work/out"
is "no terminal: one text" "1 0" \
	"$(grep -c 'PER SECOND' "$work/out") $(grep -c $'\033' "$work/out")"
weir top --sort nothing >/dev/null 2>"$work/err"
is "no such column: exit 2" 2 $?
has "no such column: those that there are" "rate|count|outcome" "$(cat "$work/err")"
