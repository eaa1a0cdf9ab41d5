#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Load for a moment, connections kept and closed, one service and two: no error, and
# no flow stays behind that should not. Says nothing about speed: that is make bench.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
echo_pod 3
two_and_three >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
cat >"$work/turns.lua" <<'END'
local n = 0
function request()
	n = n + 1
	return wrk.format("GET", n % 2 == 0 and "/two/small" or "/three/small")
end
END
cat >"$work/none.lua" <<'END'
function done(summary)
	local e = summary.errors
	io.write(string.format("ERRORS %d %d %d\n", e.connect, e.read, e.write + e.timeout))
end
END

# load WHAT STATUSES-BAD-ALLOWED WRK-ARGUMENT...
load()
{
	local what=$1 out requests

	shift
	out=$(client wrk -t2 -c32 -d2s "$@" 2>&1)
	requests=$(awk '/requests in/ { print $1 }' <<<"$out")
	if grep -q 'Socket errors' <<<"$out" || [ "${requests:-0}" -lt 100 ] ||
	   grep -q 'Non-2xx' <<<"$out"; then
		fail "$what"
		sed 's/^/     /' <<<"$out"
	else
		pass "$what: no error among at least 100 requests"
	fi
}

load "connections kept" "http://$LISTEN/two/small"
load "a connection for each request" -H 'Connection: close' "http://$LISTEN/two/small"
load "two services in turn on each connection" -s "$work/turns.lua" "http://$LISTEN/"

out=$(client wrk -t2 -c32 -d2s -s "$work/none.lua" "http://$LISTEN/none" 2>&1)
is "404s on kept connections: no socket error" "ERRORS 0 0 0" "$(grep ERRORS <<<"$out")"
out=$(client wrk -t2 -c32 -d2s -s "$work/none.lua" -H 'Connection: close' \
	"http://$LISTEN/none" 2>&1)
is "404s on closed connections: no socket error" "ERRORS 0 0 0" \
	"$(grep ERRORS <<<"$out")"
is "and weir still serves" 200 "$(status /two/small)"
for name in error no_port flow_full slots_full; do
	is "counter $name" 0 "$(counter $name)"
done
