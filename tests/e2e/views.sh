#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the agent and the commands tell about the running data path.
. "$(dirname "$0")/../lib.sh"

# weir_json COMMAND N: an array of at least N.
weir_json()
{
	[ "$(weir "$1" -o json | jq length)" -ge "$2" ]
}

net_up 2 3
echo_pod 2
fallback_pod 3
weir_start -f "$top/tests/manifests/guide" --metrics 127.0.0.1:9090
get /echo/x >/dev/null
get /other >/dev/null

is "status: interfaces" "cli0 pod2 pod3" \
	"$(weir status -o json | jq -r '.interfaces[].interface' | sort | xargs)"
is "status: listener" "$LISTEN:80/http" \
	"$(weir status -o json | jq -r '.listeners[0].address')"
is "status: the last apply" true "$(weir status -o json | jq .last_apply.ok)"
has "routes: the rule in text" /echo "$(weir routes)"
ok "routes: JSON" weir_json routes 2
has "endpoints: text" 10.77.1.2:1027 "$(weir endpoints)"
ok "endpoints: JSON" weir_json endpoints 2
# The connections of the two requests are kept for a while.
flows()
{
	weir flows -o json "$@" | jq length
}
is "flows: both" 2 "$(flows)"
echo_ingress=$(weir routes -o json | jq -r '.[] | select(.path == "/echo").ingress')
is "flows: by route" 1 "$(flows --route "$echo_ingress")"
is "flows: by a route that is not there" 0 "$(flows --route no/such)"
is "flows: by client" "2 2 0" \
	"$(flows --client 10.77.0.2) $(flows --client 10.77.0.0/24) $(
		flows --client 192.0.2.0/24)"
is "flows: by state" "2 0" "$(flows --state closed) $(flows --state head)"
is "flows: no more than" 1 "$(flows --limit 1 2>"$work/err")"
is "flows: what is left out is said" "weir: flows: 1 more" "$(cat "$work/err")"
weir flows --client 10.0.0.0/40 >/dev/null 2>&1
is "flows: no such network: exit 2" 2 $?
is "watch: a document a line, again and again" "2 2 2" \
	"$(weir routes -o json --watch=0.01 | head -3 | jq length | xargs)"
weir stats --watch=never >/dev/null 2>&1
is "watch: no number: exit 2" 2 $?
has "stats: text" req_fallback "$(weir stats)"
is "stats: counted" "1 1" "$(counter req_routed) $(counter req_fallback)"
metrics=$(node curl -s -m 30 http://127.0.0.1:9090/metrics)
has "metrics: served" weir_ "$metrics"
is "metrics: each line is a comment or a sample" "" \
	"$(grep -vE '^(#|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eEnNaAiIfF]+( [0-9]+)?$|$)' \
		<<<"$metrics")"
is "healthz" 200 "$(node curl -s -m 30 -o /dev/null -w '%{http_code}' \
	http://127.0.0.1:9090/healthz)"
is "readyz" 200 "$(node curl -s -m 30 -o /dev/null -w '%{http_code}' \
	http://127.0.0.1:9090/readyz)"
has "bpftool reads the pins" /echo \
	"$(bpftool map dump pinned "$PIN/maps/routes" 2>/dev/null | tr -d '\n')"
# One look of 0.5 s or more, in which a request is made.
top_by()
{
	weir top --by "$1" -o json -d 0.5 -n 1 >"$work/top" &
	while kill -0 $! 2>/dev/null; do
		get /echo/x >/dev/null
	done
	wait $!
	jq -r "$2" "$work/top"
}
is "top: routes" "true true true" "$(top_by routes \
	'"\(.[0].per_second > 0) \(.[0].p99_us >= .[0].p50_us) \(.[0].route | endswith("/echo"))"')"
is "top: endpoints" "10.77.1.2:1027 true" "$(top_by endpoints \
	'"\(.[0].endpoint) \(.[0].per_second > 0)"')"
ip -n "$NODE" link set pod2 mtu 1400
ok "a lower MTU: the log tells" within 10 grep -q \
	"the way to endpoints takes segments of 1348 bytes, before 1448" "$work/weir.log"
has "a lower MTU: status tells" "MSS 1348" "$(weir status -o wide)"
weir status --pin /sys/fs/bpf/not-there >/dev/null 2>"$work/err"
is "no data path: exit 1" 1 $?
is "no data path: one line and perhaps a hint" 0 "$(grep -cv '^weir: ' "$work/err")"
