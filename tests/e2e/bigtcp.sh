#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# BIG TCP: packets of more than 64 KiB, which IPv6 gives a hop-by-hop header of their own
# and no length in its own.
V6=1
. "$(dirname "$0")/../lib.sh"

net_up 2 4
echo_pod 2
origin_pod 4
{
	service echo 80 1027 "$(pod_ip 2)"
	service origin 80 8000 "$(pod_ip 4)"
	ingress files '' /size Prefix echo 80
	ingress origin '' /origin Prefix origin 80 true
} >"$work/rules.yaml"
mkdir -p "$work/files/size"
head -c 100M /dev/urandom >"$work/files/size/big"
sum=$(md5sum <"$work/files/size/big" | cut -d' ' -f1)
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

is "download" "$sum" "$(client curl -s -m 60 "http://$LISTEN/size/big" |
	md5sum | cut -d' ' -f1)"
is "upload" "$sum" "$(client curl -s -m 60 -T "$work/files/size/big" \
	"http://$LISTEN/origin/put" | field md5)"
for dev in cli0 pod2; do
	ok "packets over 64 KiB on $dev" [ "$(largest $dev | tail -1)" -gt 66000 ]
done
