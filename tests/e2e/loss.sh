#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lost, repeated and reordered packets on both sides: every byte arrives, small
# requests are answered, on one connection and on many.
. "$(dirname "$0")/../lib.sh"

WIRES=1
net_up 2 3
wires 1
echo_pod 2
echo_pod 3
two_and_three >"$work/rules.yaml"
mkdir -p "$work/files/size"
head -c 2000000 /dev/urandom >"$work/files/size/some"
weir_start -f "$work/rules.yaml"

# many N: N requests in turns on one connection; how many were answered rightly.
many()
{
	local i urls=()

	for i in $(seq "$1"); do
		urls+=("http://$LISTEN/two/$i" "http://$LISTEN/three/$i")
	done
	client curl -s -m 120 "${urls[@]}" |
		awk '/^pod: / { pod = $2 } /^target: / { print pod, $2 }' |
		awk '{ want = int((NR + 1) / 2); pod = NR % 2 ? "pod2" : "pod3" }
			$1 == pod && $2 == "/" want { n++ } END { print n + 0 }'
}

while read -r how; do
	# shellcheck disable=SC2086
	wires 7 $how
	ok "$how: download" client curl -s -m 120 -o "$work/got" \
		"http://$LISTEN/two/size/some"
	ok "$how: every byte of it" cmp "$work/got" "$work/files/size/some"
	ok "$how: upload" client curl -s -m 120 -o /dev/null -T "$work/files/size/some" \
		"http://$LISTEN/two/put/some"
	ok "$how: every byte of it" cmp "$work/files/put/some" "$work/files/size/some"
	rm -f "$work/got" "$work/files/put/some"
	is "$how: 40 requests in turns on one connection" 40 "$(many 20)"
	n=0
	for i in $(seq 8); do
		[ "$(get "/two/$i" -m 60 | field target)" != "/$i" ] || n=$((n + 1))
	done
	is "$how: 8 connections" 8 "$n"
	n=0
	for i in $(seq 5); do
		[ "$(status "/none" -m 60)" != 404 ] || n=$((n + 1))
	done
	is "$how: 5 answers of the kernel's own" 5 "$n"
done <<END
loss 1%
loss 3% duplicate 2%
delay 2ms reorder 30%
END
