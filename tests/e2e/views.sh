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
has "stats: text" req_fallback "$(weir stats)"
is "stats: counted" "1 1" "$(counter req_routed) $(counter req_fallback)"
metrics=$(node curl -s -m 5 http://127.0.0.1:9090/metrics)
has "metrics: served" weir_ "$metrics"
is "metrics: each line is a comment or a sample" "" \
	"$(grep -vE '^(#|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eEnNaAiIfF]+( [0-9]+)?$|$)' \
		<<<"$metrics")"
is "healthz" 200 "$(node curl -s -m 5 -o /dev/null -w '%{http_code}' \
	http://127.0.0.1:9090/healthz)"
is "readyz" 200 "$(node curl -s -m 5 -o /dev/null -w '%{http_code}' \
	http://127.0.0.1:9090/readyz)"
has "bpftool reads the pins" /echo \
	"$(bpftool map dump pinned "$PIN/maps/routes" 2>/dev/null | tr -d '\n')"
weir status --pin /sys/fs/bpf/not-there >/dev/null 2>"$work/err"
is "no data path: exit 1" 1 $?
is "no data path: one line and perhaps a hint" 0 "$(grep -cv '^weir: ' "$work/err")"
