#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# BIG TCP: packets of more than 64 KiB, which IPv6 gives a hop-by-hop header of their own
# and no length in its own.
V6=1
. "$(dirname "$0")/../bulk.sh"

bulk_up 100
for ns in "$CLIENT" "$(pod_ns 2)" "$(pod_ns 4)"; do
	ip -n "$ns" link set eth0 gso_max_size 180000 gro_max_size 180000 ||
		skip "iproute2 or the kernel has no BIG TCP"
	in_ns "$ns" sysctl -q -w net.ipv4.tcp_rmem="4096 4000000 16000000" \
		net.ipv4.tcp_wmem="4096 4000000 16000000"
done
for dev in cli0 pod2 pod4; do
	ip -n "$NODE" link set "$dev" gso_max_size 180000 gro_max_size 180000
done

# What the node has seen on a device, at most, in bytes a packet.
largest()
{
	sed -n 's/^largest //p' "$work/$1.log"
}
for dev in cli0 pod2; do
	background_in "$NODE" /usr/bin/python3 -u -c '
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 3))
print("ready")
most = 0
while True:
    n = s.recv_into(bytearray(1), 1, socket.MSG_TRUNC)
    if n > most:
        most = n
        print("largest", n)
' "$dev" >"$work/$dev.log"
	within 5 grep -q ready "$work/$dev.log" || die "no packet socket"
done
weir_start -f "$work/rules.yaml"

both_ways "BIG TCP"
for dev in cli0 pod2; do
	ok "packets over 64 KiB on $dev" [ "$(largest $dev | tail -1)" -gt 66000 ]
done
