#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tables: widths, units, colours, order, and rows alone.
. "$(dirname "$0")/../lib.sh"

long=/a-path-that-is-too-long-for-a-narrow-terminal-and-has-to-be-cut-somewhere
net_up 2
echo_pod 2
{
	service one 80 1027 10.77.1.2
	service two 80 1028 10.77.1.2
	ingress one b.example / Prefix one 80
	ingress two a.example "$long" Prefix one 80
	ingress three '' /refused Prefix two 80
	ingress four '' /none Prefix absent 80
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
for _ in 1 2 3; do
	get / -H 'Host: b.example' >/dev/null
done
mkdir -p "$work/files/size"
head -c 3000 /dev/zero >"$work/files/size/three"
get /size/three -H 'Host: b.example' >/dev/null
get /refused >/dev/null

# On a terminal: the output with what paints it made visible.
painted()
{
	env TERM=xterm LC_ALL=C.UTF-8 "${@:2}" script -qec "$WEIR $1" /dev/null </dev/null |
		tr -d '\r' | sed 's/\x1b/^[/g'
}

# The widest line of stdin.
widest()
{
	awk 'length > n { n = length } END { print n }'
}

for c in routes endpoints flows stats "check -f $work/rules.yaml"; do
	# shellcheck disable=SC2086
	{
		COLUMNS=60 LC_ALL=C weir $c 2>/dev/null >"$work/narrow"
		weir $c --no-headers 2>/dev/null >"$work/rows"
		weir $c 2>/dev/null >"$work/table"
	}
	c=${c%% *}
	ok "$c: COLUMNS is kept to" [ "$(widest <"$work/narrow")" -le 60 ]
	is "$c: no headers" "$(sed '1d;/^$/,$d' "$work/table" | awk '{print $1}')" \
		"$(awk '{print $1}' "$work/rows")"
done
has "cut, in UTF-8" … "$(COLUMNS=60 LC_ALL=C.UTF-8 weir routes)"
is "cut, in ASCII" "yes 0" "$(COLUMNS=60 LC_ALL=C weir routes |
	awk '/~/ { cut = "yes" } /[^ -~]/ { n++ } END { print cut, n + 0 }')"
has "not cut with -o wide" "$long" "$(COLUMNS=60 weir routes -o wide)"
has "not cut when it is no terminal" "$long" "$(env -u COLUMNS "$WEIR" routes)"

is "routes: by host, those without one last" "a.example b.example * *" \
	"$(weir routes --no-headers | awk '{print $1}' | xargs)"
is "routes: the same in JSON" "a.example b.example  " \
	"$(weir routes -o json | jq -r 'map(.host) | join(" ")')"
is "routes: by requests" "4 1 0 0" \
	"$(weir routes -o json --sort requests | jq -r 'map(.requests | tostring) | join(" ")')"
is "routes: the other way" "0 0 1 4" \
	"$(weir routes -o json -s requests -r | jq -r 'map(.requests | tostring) | join(" ")')"
is "endpoints: by failures" 10.77.1.2:1028 \
	"$(weir endpoints -s failures --no-headers | awk '{print $1; exit}')"
is "stats: by count" sorted "$(weir stats -o json -s count |
	jq -r 'map(.count) | if . == (sort | reverse) then "sorted" else . end')"
is "flows: most bytes first" "true" "$(weir flows -o json -s down |
	jq 'map(.bytes_down) | . == (sort | reverse) and .[0] > 3000')"
is "flows: of all, the first" 1 "$(weir flows -o json -s down --limit 1 2>/dev/null |
	jq 'map(select(.bytes_down > 3000)) | length')"
has "flows: bytes with a unit" KiB "$(weir flows)"
is "flows: bytes as they are, with -o wide" 0 "$(weir flows -o wide | grep -c KiB)"

has "a failure in red" "^[[31m" "$(painted routes)"
is "no colour with NO_COLOR" 0 "$(painted routes NO_COLOR=1 | grep -cF '^[')"
is "no colour with TERM=dumb" 0 "$(painted routes TERM=dumb | grep -cF '^[')"
is "no colour in a file" 0 "$(TERM=xterm weir routes | grep -c $'\033')"
weir routes --sort nothing >/dev/null 2>"$work/err"
is "no such order: exit 2" 2 $?
has "no such order: those that there are" "rule|ingress" "$(cat "$work/err")"
