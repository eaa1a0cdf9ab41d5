#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Large bodies arrive byte for byte, both ways, with segmentation offload and
# without, with large and with small windows.
. "$(dirname "$0")/../bulk.sh"
megabytes=${MEGABYTES:-100}

bulk_up "$megabytes"
weir_start -f "$work/rules.yaml"

both_ways "$megabytes MB"
is "upload in chunks" "$sum" "$(client curl -s -m 120 -T - "http://$LISTEN/origin/put" \
	<"$work/files/size/big" | field md5)"
is "upload with Expect" "$sum" "$(client curl -s -m 120 -H 'Expect: 100-continue' \
	-T "$work/files/size/big" "http://$LISTEN/origin/put" | field md5)"
is "four downloads at once" "$sum $sum $sum $sum" "$(
	for i in 1 2 3 4; do
		client curl -s -m 120 -o "$work/got$i" "http://$LISTEN/size/big" &
	done
	wait
	cat <(for i in 1 2 3 4; do md5sum <"$work/got$i" | cut -d' ' -f1; done) | xargs)"
rm -f "$work"/got*

# The rest with a tenth of it.
head -c "$((megabytes / 10))M" "$work/files/size/big" >"$work/part"
mv "$work/part" "$work/files/size/big"
sum_up

client sysctl -q -w net.ipv4.tcp_window_scaling=0
both_ways "client without window scaling"
client sysctl -q -w net.ipv4.tcp_window_scaling=1
for n in 2 4; do
	pod $n sysctl -q -w net.ipv4.tcp_window_scaling=0
done
both_ways "pods without window scaling"
for n in 2 4; do
	pod $n sysctl -q -w net.ipv4.tcp_window_scaling=1
done
client sysctl -q -w net.ipv4.tcp_sack=0
both_ways "client without SACK"
client sysctl -q -w net.ipv4.tcp_sack=1

if command -v ethtool >/dev/null; then
	client ethtool -K eth0 tx off tso off gso off >/dev/null 2>&1
	pod 2 ethtool -K eth0 tx off tso off gso off >/dev/null 2>&1
	both_ways "finished checksums, no offload"
	client ethtool -K eth0 tx on tso on gso on >/dev/null 2>&1
	pod 2 ethtool -K eth0 tx on tso on gso on >/dev/null 2>&1
fi
