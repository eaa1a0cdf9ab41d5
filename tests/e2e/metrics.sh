#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# /metrics, /healthz and /readyz of the agent.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
cp -r "$top/tests/manifests/guide" "$work/rules"
# A label's value with a backslash in it, and two rules of one host and path.
{
	ingress digits '' '/~/number/\\d+' ImplementationSpecific echo 1027
	ingress one two.example /two Prefix echo 1027
	ingress two two.example /two Prefix echo 1027 |
		sed 's,annotations: {,&konghq.com/methods: "POST"\, ,'
} >"$work/rules/more.yaml"
weir_start -f "$work/rules" --metrics 127.0.0.1:9113
within 10 grep -q 'weir: ready' "$work/weir.log"

http()
{
	node curl -s -m 30 "$@"
}

code()
{
	http -o /dev/null -w '%{http_code}' "$@"
}

for path in /echo/1 /echo/2 /number/12 /nowhere; do
	get "$path" >/dev/null
done
get /two -H 'Host: two.example' >/dev/null
get /two -H 'Host: two.example' -d x >/dev/null

is "served" 200 "$(code -D "$work/head" http://127.0.0.1:9113/metrics)"
has "the type of the text format" "version=0.0.4" "$(grep -i content-type: "$work/head")"
http http://127.0.0.1:9113/metrics >"$work/metrics"
is "lint" "" "$("$top/tests/tools/promlint.py" <"$work/metrics")"
weir metrics >"$work/metrics.cmd"
is "lint of weir metrics" "" "$("$top/tests/tools/promlint.py" <"$work/metrics.cmd")"

is "requests of a route" 2 "$(grep 'route_requests_total{.*path="/echo"' "$work/metrics" |
	sed 's/.*} //')"
is "of a route with a backslash" 1 "$(grep route_requests_total "$work/metrics" |
	grep -F 'path="/~/number/\\d+"' | sed 's/.*} //')"
is "two rules of one host and path are two series" 2 \
	"$(grep -c 'route_requests_total{.*two.example' "$work/metrics")"
is "first bytes: all counted" 2 "$(grep 'first_byte_seconds_count{.*path="/echo"' \
	"$work/metrics" | sed 's/.*} //')"
is "first bytes: a sum of more than nothing" 1 "$(grep 'first_byte_seconds_sum{.*path="/echo"' \
	"$work/metrics" | sed 's/.*} //' | awk '{ print ($1 > 0) }')"
is "endpoints" 2 "$(grep -c '^weir_endpoint_connections_total{' "$work/metrics")"

# The linter can say no.
for wrong in 's/^weir_routes /weir_wrong /' 's/_total/_number/' '/le="+Inf"/d' \
	's/\(_count{.*} \)/\19/' '/^# HELP weir_routes/d' 's/path="/path="a"b/' \
	'/^weir_generation/p' 's/_seconds/_us/'; do
	if sed "$wrong" "$work/metrics" | "$top/tests/tools/promlint.py" >/dev/null; then
		fail "lint finds $wrong"
	else
		pass "lint finds $wrong"
	fi
done

is "healthz" 200 "$(code http://127.0.0.1:9113/healthz)"
is "readyz" 200 "$(code http://127.0.0.1:9113/readyz)"
is "HEAD" 200 "$(code -I http://127.0.0.1:9113/metrics)"
is "another path" 404 "$(code http://127.0.0.1:9113/)"
is "another method" 405 "$(code -d x http://127.0.0.1:9113/metrics)"

# Somebody who says nothing, and one who never ends: the agent works on.
# shellcheck disable=SC2016
for i in $(seq 20); do
	background_in "$NODE" bash -c 'exec 3<>/dev/tcp/127.0.0.1/9113; printf "GET /" >&3; read -r <&3'
done
before=$(generation)
ingress later '' /later Prefix echo 1027 >"$work/rules/later.yaml"
ok "with idle scrapers a change arrives" within 20 weir_ready "$before"
ok "and they are thrown out" within 30 eval '[ "$(code http://127.0.0.1:9113/healthz)" = 200 ]'

# shellcheck disable=SC2016
asked=$(jq -r '.. | .expr? // empty' "$top/deploy/grafana/weir.json" |
	grep -oE 'weir_[a-z_]+' | sort -u)
for name in $asked; do
	grep -qE "^$name(\{| )" "$work/metrics" || fail "dashboard: no such metric: $name"
done
ok "dashboard: asks for metrics that exist" test -n "$asked"

ip -n "$NODE" link del pod3
ip -n "$NODE" link del pod2
ip -n "$NODE" link del cli0
ok "readyz: not without an interface" within 20 eval \
	'[ "$(code http://127.0.0.1:9113/readyz)" = 503 ]'
has "readyz: and why" "no interface" "$(http http://127.0.0.1:9113/readyz)"
