#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A hop of 1280 bytes in the middle of a path of 1500, on the client's side and then on
# the endpoint's: what its routers say about packets that weir has translated reaches the
# end that sent them.
#
#	client - rc = rd - node - re = rf - pod4	=: one of them has MTU 1280
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"

if [ -n "${V6:-}" ]; then
	address() { echo "fd00:78:$1::$2"; }
	bits=64
	forwarding=net.ipv6.conf.all.forwarding
	LISTEN="[$(address 2 1)]"
else
	address() { echo "10.78.$1.$2"; }
	bits=24
	forwarding=net.ipv4.ip_forward
	LISTEN=$(address 2 1)
fi

# link NET A DEVICE B DEVICE MTU: A is host 1 of the net, B host 2.
link()
{
	ip -n "$2" link add "$3" mtu "$6" type veth peer name "$5" mtu "$6" netns "$4"
	ip -n "$2" addr add "$(address "$1" 1)/$bits" dev "$3"
	ip -n "$4" addr add "$(address "$1" 2)/$bits" dev "$5"
	ip -n "$2" link set "$3" up
	ip -n "$4" link set "$5" up
}

# route NAMESPACE TO VIA...
route()
{
	ip -n "$1" route add "$2" via "$3"
}

pods="rc rd re rf 4"
for ns in "$CLIENT" "$NODE" $(for n in $pods; do pod_ns "$n"; done); do
	ns_make "$ns"
	in_ns "$ns" sysctl -q -w $forwarding=1
done
rc=$(pod_ns rc) rd=$(pod_ns rd) re=$(pod_ns re) rf=$(pod_ns rf) pod4=$(pod_ns 4)
link 0 "$rc" cli "$CLIENT" eth0 1500
link 1 "$rc" mid "$rd" mid 1280
link 2 "$NODE" cli0 "$rd" node 1500
link 3 "$NODE" pod4 "$re" node 1500
link 4 "$re" mid "$rf" mid 1500
link 5 "$rf" pod "$pod4" eth0 1500
route "$CLIENT" default "$(address 0 1)"
route "$rc" default "$(address 1 2)"
route "$rd" default "$(address 2 1)"
route "$rd" "$(address 0 0)/$bits" "$(address 1 1)"
route "$NODE" "$(address 0 0)/$bits" "$(address 2 2)"
route "$NODE" "$(address 1 0)/$bits" "$(address 2 2)"
route "$NODE" "$(address 4 0)/$bits" "$(address 3 2)"
route "$NODE" "$(address 5 0)/$bits" "$(address 3 2)"
route "$re" default "$(address 3 1)"
route "$re" "$(address 5 0)/$bits" "$(address 4 2)"
route "$rf" default "$(address 4 1)"
route "$pod4" default "$(address 5 1)"

echo_pod 4
origin_pod 4
{
	service echo 80 1027 "$(address 5 2)"
	service origin 80 8000 "$(address 5 2)"
	ingress files '' /size Prefix echo 80
	ingress origin '' /origin Prefix origin 80 true
} >"$work/rules.yaml"
mkdir -p "$work/files/size"
head -c 5M /dev/urandom >"$work/files/size/big"
sum=$(md5sum <"$work/files/size/big" | cut -d' ' -f1)
weir_start -f "$work/rules.yaml"

is "no packet has been too big yet" "0 0" \
	"$(counter icmp_to_endpoint) $(counter icmp_to_client)"
is "a download through the hop at the client" "$sum" \
	"$(client curl -s -m 20 "http://$LISTEN/size/big" | md5sum | cut -d' ' -f1)"
ok "the endpoint was told" [ "$(counter icmp_to_endpoint)" -gt 0 ]

for ns in "$rc" "$rd"; do
	ip -n "$ns" link set mid mtu 1500
done
for ns in "$re" "$rf"; do
	ip -n "$ns" link set mid mtu 1280
done
is "an upload through the hop at the endpoint" "$sum" "$(client curl -s -m 20 \
	-T "$work/files/size/big" "http://$LISTEN/origin/put" | field md5)"
ok "the client was told" [ "$(counter icmp_to_client)" -gt 0 ]
# weir's own segments, from the buffer of a head
long=$(head -c 6000 /dev/zero | tr '\0' x)
is "a long head" 200 "$(status /origin/x -H "X-Long: $long")"
is "nothing was wrong with what routers said" 0 "$(counter icmp_bad)"
