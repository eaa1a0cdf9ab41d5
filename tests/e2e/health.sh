#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Health checks of the agent: an endpoint that is down is known before a client
# meets it, and comes back; when all are down, all are used.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
echo_pod 3
{
	service web 80 1027 10.77.1.2 10.77.1.3
	ingress web '' / Prefix web 80
} >"$work/rules.yaml"

state()
{
	weir endpoints -o json | jq -r --arg a "$1" '.[] | select(.address == $a).state'
}

is_state()
{
	[ "$(state "$1")" = "$2" ]
}

served_by()
{
	local i

	for i in $(seq 6); do
		get / | field pod
	done | sort | uniq -c | awk '{ printf "%s%s from %s", sep, $1, $2; sep = ", " }'
}

is "a wrong interval is refused" 2 \
	"$(weir run -i x -l :80 -f "$work" --health-interval 0 >/dev/null 2>&1; echo $?)"
weir_start -f "$work/rules.yaml" --health-check tcp --health-interval 0.2
is "both are healthy" "ready ready" "$(state 10.77.1.2:1027) $(state 10.77.1.3:1027)"
stop_pod 3
ok "one that refuses becomes unhealthy" within 10 is_state 10.77.1.3:1027 unhealthy
is "and gets nothing" "6 from pod2" "$(served_by)"
is "nor was it tried" 0 "$(counter connect_next)"
has "which is said" "endpoint 10.77.1.3:1027 is unhealthy: Connection refused" \
	"$(cat "$work/weir.log")"
{
	service web 80 1027 10.77.1.2 10.77.1.3
	ingress other '' /other Prefix web 80
	ingress web '' / Prefix web 80
} >"$work/other.yaml"
weir apply -f "$work/other.yaml"
is "weir apply keeps what the agent knows" unhealthy "$(state 10.77.1.3:1027)"
echo_pod 3
ok "it comes back: the agent checks what was applied" within 10 \
	is_state 10.77.1.3:1027 ready
is "and takes its part" "3 from pod2, 3 from pod3" "$(served_by)"
pod 3 ip link set eth0 down
ok "one that is silent becomes unhealthy, too" within 10 \
	is_state 10.77.1.3:1027 unhealthy
is "and gets nothing either" "6 from pod2" "$(served_by)"
stop_pod 2
ok "the last one" within 10 is_state 10.77.1.2:1027 unhealthy
is "all are down: they are tried nevertheless" 50 "$(status / | cut -c1-2)"
ok "and that is counted" [ "$(counter all_ejected)" -gt 0 ]
echo_pod 2
ok "until one is back" within 10 is_state 10.77.1.2:1027 ready
is "which serves" "6 from pod2" "$(served_by)"
