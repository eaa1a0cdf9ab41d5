#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Nothing of a connection through weir reaches the node's own TCP, which would answer
# with a reset: not while requests come and go, nor from clients that vanish.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
echo_pod 3
{
	two_and_three
	service dead 80 9 10.77.1.3
	ingress dead '' /dead Prefix dead 80
} >"$work/rules.yaml"
mkdir -p "$work/files/size"
head -c 3000000 /dev/urandom >"$work/files/size/some"
weir_start -f "$work/rules.yaml"
node sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.cli0.rp_filter=1 \
	net.ipv4.conf.pod2.rp_filter=1 net.ipv4.conf.pod3.rp_filter=1

# tcp NAME: a counter of the node's own TCP.
tcp()
{
	node awk -v name="$1" '/^Tcp:/ { for (i = 2; i <= NF; i++)
		if (!seen) at[$i] = i; else if (i == at[name]) print $i
		seen = 1 }' /proc/net/snmp
}

before="$(tcp InSegs) $(tcp OutSegs) $(tcp OutRsts)"
[ "$(wc -w <<<"$before")" = 3 ] || die "no counters of the node's TCP"

# unmoved AFTER
unmoved()
{
	is "$1: none reached the node" "$before" \
		"$(tcp InSegs) $(tcp OutSegs) $(tcp OutRsts)"
}

for i in 1 2 3; do
	status /two/x
	status /none
	status /dead
	client curl -s -m 30 -o /dev/null "http://$LISTEN/two/a" -o /dev/null \
		"http://$LISTEN/three/b" -o /dev/null "http://$LISTEN/none"
	client curl -s -m 30 -o /dev/null -T "$work/files/size/some" \
		"http://$LISTEN/two/put/x"
done >/dev/null
unmoved "requests"
client wrk -t2 -c32 -d1s -H 'Connection: close' "http://$LISTEN/two/small" >/dev/null
client wrk -t2 -c32 -d1s "http://$LISTEN/none" >/dev/null
unmoved "load that ends in the middle"
for i in 1 2 3 4 5; do
	client curl -s -m 30 "http://$LISTEN/two/size/some" | head -c 1000 >/dev/null
	timeout -s KILL 0.05 nsenter --net="/run/netns/$CLIENT" curl -s --limit-rate 100k \
		"http://$LISTEN/two/size/some" >/dev/null
done 2>/dev/null
unmoved "clients that break off"
stop_pod 2
status /two/x >/dev/null
unmoved "a pod that stops"
