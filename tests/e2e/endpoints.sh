#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Several endpoints, refusing ones, none.
. "$(dirname "$0")/../lib.sh"

net_up 2 3 4
echo_pod 2
echo_pod 3
{
	service many 80 1027 10.77.1.2 10.77.1.3
	service half 80 1027 10.77.1.2 10.77.1.4
	service dead 80 1027 10.77.1.4
	service none 80 1027
	ingress many '' /many Prefix many 80
	ingress half '' /half Prefix half 80
	ingress dead '' /dead Prefix dead 80
	ingress none '' /none Prefix none 80
	ingress lost '' /lost Prefix not-there 80
	default_backend rest many 80
	service shared 80 1027
	ingress shared '' /shared Prefix shared 80
} >"$work/rules.yaml"
start()
{
	weir_start -f "$work/rules.yaml" \
		--endpoint default/shared=10.77.1.2:1027,weight=3 \
		--endpoint default/shared=10.77.1.3:1027
}
start

# count PATH: "N from pod2, N from pod3" for 20 connections.
count()
{
	local i

	for i in $(seq 20); do
		get "$1" | field pod
	done | sort | uniq -c | awk '{ printf "%s%s from %s", sep, $1, $2; sep = ", " }'
}

is "two endpoints, in turn" "10 from pod2, 10 from pod3" "$(count /many)"
is "one of two refuses: the other one serves" "20 from pod2" "$(count /half)"
is "by weight" "15 from pod2, 5 from pod3" "$(count /shared)"

# state SERVICE ADDRESS KEY: of an endpoint.
state()
{
	weir endpoints -o json | jq -r --arg s "default/$1:80" --arg a "$2" --arg k "$3" \
		'.[] | select(.service == $s and .address == $a)[$k]'
}

newer()
{
	[ "$(weir status -o json | jq .generation)" -gt "$generation" ]
}

ejected()
{
	get /half >/dev/null
	[ "$(state half 10.77.1.4:1027 state)" = ejected ]
}
ok "the one that refuses is ejected, and shown so" within 20 ejected
is "the other one is not" ready "$(state half 10.77.1.2:1027 state)"
ok "drained by hand" weir endpoint drain 10.77.1.2:1027 2>/dev/null
is "drained: shown" "draining true" \
	"$(state many 10.77.1.2:1027 state) $(state many 10.77.1.2:1027 by_hand)"
is "drained: gets no new connections" "20 from pod3" "$(count /many)"
generation=$(weir status -o json | jq .generation)
service late 80 1027 10.77.1.2 >>"$work/rules.yaml"
ingress late '' /late Prefix late 80 >>"$work/rules.yaml"
ok "new rules are applied" within 20 newer
is "drained: through new rules" "20 from pod3" "$(count /many)"
kill -KILL "$weir_pid"
wait "$weir_pid" 2>/dev/null
start
is "drained: through another agent" "20 from pod3" "$(count /many)"
ok "undrained" weir endpoint undrain 10.77.1.2:1027 2>/dev/null
is "undrained: shown" "ready false" \
	"$(state many 10.77.1.2:1027 state) $(state many 10.77.1.2:1027 by_hand)"
is "undrained: serves again" "10 from pod2, 10 from pod3" "$(count /many)"
ok "a whole Service is drained" weir endpoint drain default/many 2>/dev/null
is "a Service drained: 503" 503 "$(status /many)"
is "others go on with the same address" 200 "$(status /shared)"
ok "and undrained" weir endpoint undrain default/many:80 2>/dev/null
is "it serves" 200 "$(status /many)"
weir endpoint drain 192.0.2.1:1 2>"$work/err"
is "no such endpoint: exit 1" 1 $?
has "no such endpoint: said" "no such endpoint or Service: 192.0.2.1:1" \
	"$(cat "$work/err")"
is "every one refuses: 502" 502 "$(status /dead)"
is "502: the body" \
	'{"message":"An invalid response was received from the upstream server"}' \
	"$(get /dead)"
is "no endpoint: 503" 503 "$(status /none)"
is "503: the body" '{"message":"failure to get a peer from the ring-balancer"}' \
	"$(get /none)"
is "no Service: 503, not the default backend" 503 "$(status /lost)"
is "all on one connection" "502 503 200 502 " "$(client curl -s -m 30 -o /dev/null \
	-w '%{http_code} ' "http://$LISTEN/dead" -o /dev/null "http://$LISTEN/none" \
	-o /dev/null "http://$LISTEN/many" -o /dev/null "http://$LISTEN/dead")"
echo_pod 4
is "once it listens, it serves, ejected or not" pod4 "$(get /dead | field pod)"
both()
{
	count /half | grep -q "pod2, .*pod4"
}
ok "and comes back to the others" within 90 both
is "with its failures forgotten" 0 "$(state half 10.77.1.4:1027 failures_in_a_row)"
