#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clients that are endpoints, or the node itself, and strict reverse path filtering.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
node sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
for n in 2 3; do
	pod $n sysctl -q -w net.ipv4.conf.all.rp_filter=1
done
echo_pod 2
echo_pod 3
{
	service own 80 1027 10.77.1.2
	service other 80 1027 10.77.1.3
	ingress own '' /own Prefix own 80
	ingress other '' /other Prefix other 80
} >"$work/rules.yaml"
# For clients on the node itself: its packets to its own address take the loopback.
node sysctl -q -w net.ipv4.conf.lo.accept_local=1
weir_ifaces()
{
	echo "-i cli0 -i pod* -i lo"
}
weir_start -f "$work/rules.yaml"

# pod_get N PATH: the pod that answers
pod_get()
{
	pod "$1" curl -s -m 30 "http://$LISTEN$2" | field pod
}

is "rp_filter=1: the client is served" pod2 "$(get /own | field pod)"
is "a pod is the client of another" pod3 "$(pod_get 2 /other)"
is "a pod is its own client" pod2 "$(pod_get 2 /own)"
is "both on one connection" "pod2 pod3 pod2" "$(pod 2 curl -s -m 30 "http://$LISTEN/own" \
	"http://$LISTEN/other" "http://$LISTEN/own" | field pod | xargs)"
is "the node is a client" pod3 "$(node curl -s -m 30 "http://$LISTEN/other" | field pod)"
ok "no packet was in error" [ "$(counter error)" = 0 ]
