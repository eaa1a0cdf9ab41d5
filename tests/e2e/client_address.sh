#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Endpoints that see the client's address, by --client-address keep and by annotation,
# over connections from Service to Service, and where the node's address is taken.
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || skip "no python3"
net_up 2 3
client_ip=10.77.0.2 node_ip=10.77.1.1
[ -z "${V6:-}" ] || { client_ip=fd00:77::2 node_ip=fd00:77:1::1; }
# the foreign source address goes past the node's filter, and is right for the pods'
node sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
for n in 2 3; do
	pod $n sysctl -q -w net.ipv4.conf.all.rp_filter=1
	ACCESS_LOG=$work/seen$n echo_pod $n
done

# annotated NAME HOW: the Service of that name in rules.yaml says whose address
annotated()
{
	sed "s|^metadata: {name: $1}|metadata: {name: $1, annotations: {weir/client-address: $2}}|"
}

rules()
{
	service two 80 1027 "$(pod_ip 2)"
	service three 80 1027 "$(pod_ip 3)"
	service plain 80 1027 "$(pod_ip 3)"
	ingress two '' /two Prefix two 80
	ingress three '' /three Prefix three 80
	ingress plain '' /plain Prefix plain 80
}

# seen N PATH: the addresses that pod N saw behind requests for PATH, once each
seen()
{
	within 5 grep -q "GET $2" "$work/seen$1"
	awk -v path="$2" '$7 == path { print $1 }' "$work/seen$1" | sort -u | xargs
}

rules | annotated plain node >"$work/rules.yaml"
weir_start -f "$work/rules.yaml" --client-address keep -l "$LISTEN:81"
is "status says so" keep "$(weir status -o json | jq -r .client_address)"

is "one connection, to and fro" "pod2 pod3 pod2 pod3 pod3 pod2" \
	"$(client curl -s -m 5 "http://$LISTEN"/{two,three,two,three,plain,two} |
		field pod | xargs)"
ok "it moved between Services" [ "$(counter switched)" -ge 4 ]
is "the client's address at the first" "$client_ip" "$(seen 2 /two)"
is "and at the second" "$client_ip" "$(seen 3 /three)"
is "the node's where the Service says so" "$node_ip" "$(seen 3 /plain)"

is "weir endpoints says who sees what" "keep keep node" "$(weir endpoints -o json |
	jq -r 'sort_by(.service)[] | .client_address' | sort | xargs)"

# doctor: what weir doctor says of it
doctor()
{
	weir doctor -o json | jq -r '.checks[] | select(.check == "client address") |
		.result + " " + .found' | cut -d, -f1
}

is "weir doctor is content" "ok 2 endpoints see clients' addresses" "$(doctor)"
ip -n "$NODE" route del "$(pod_ip 3)" dev pod3
ip -n "$NODE" route add "$(pod_ip 3)" via "$(pod_ip 2)" dev pod2 onlink
has "weir doctor doubts an endpoint behind a router" \
	"of default/three:80 sees clients' addresses and is behind another router" "$(doctor)"
ip -n "$NODE" route del "$(pod_ip 3)" dev pod2
ip -n "$NODE" route add "$(pod_ip 3)" dev pod3 src "$node_ip"

# HTTP/1.0: a connection each
for ((i = 0; i < 200; i++)); do
	echo "url = http://$LISTEN/many"
done >"$work/many"
before=$(generation)
sed -i 's|path: "/two"|path: "/"|' "$work/rules.yaml"
ok "the rules are reloaded" within 10 weir_ready "$before"
is "200 connections" 200 "$(client curl -s -0 -K "$work/many" | grep -c pod2)"
is "all from the client" "$client_ip" "$(seen 2 /many)"

# The client's port at two listeners, with connections to one pod from both.
cat >"$work/twice.py" <<-'END'
	import socket, sys

	ends = []
	for port in 80, 81:
	    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	    s.settimeout(5)
	    s.bind((sys.argv[2], 50000))
	    s.connect((sys.argv[1].strip("[]"), port))
	    ends.append(s)
	for turn in range(3):
	    for s in ends:
	        s.sendall(b"GET /twice HTTP/1.1\r\nHost: a\r\n\r\n")
	    for s in ends:
	        print(s.recv(4096).split()[1].decode())
END
before=$(counter keep_port)
is "one port of the client's at two listeners" "200 200 200 200 200 200" \
	"$(client python3 "$work/twice.py" "$LISTEN" "$client_ip" | xargs)"
is "both with the client's address" "$client_ip" "$(seen 2 /twice)"
is "the second with another port" $((before + 1)) "$(counter keep_port)"

is "a pod is the client of another" pod3 \
	"$(pod 2 curl -s -m 5 "http://$LISTEN/three/pod" | field pod)"
is "which sees its address" "$(pod_ip 2)" "$(seen 3 /three/pod)"
is "a pod is its own client" pod2 \
	"$(pod 2 curl -s -m 5 "http://$LISTEN/own" | field pod)"
is "and sees the node's address" "$node_ip" "$(seen 2 /own)"
ok "which is counted" [ "$(counter keep_hairpin)" = 1 ]

# An endpoint whose answers take another way: they do not arrive.
ip -n "$(pod_ns 3)" route add blackhole "$client_ip"
is "no way back: 504" 504 "$(status /three)"
ok "which is counted" [ "$(counter keep_silent)" -ge 1 ]
is "the endpoint is not blamed" ready \
	"$(weir endpoints -o json | jq -r 'map(select(.service == "default/three:http" or
		.service == "default/three:80").state)[0]')"
ip -n "$(pod_ns 3)" route del blackhole "$client_ip"

rules | annotated two keep >"$work/rules.yaml"
weir_stop
: >"$work/seen2"
: >"$work/seen3"
weir_start -f "$work/rules.yaml"
is "by annotation alone" "pod2 pod3" \
	"$(client curl -s -m 5 "http://$LISTEN"/{two,three} | field pod | xargs)"
is "the client's address" "$client_ip" "$(seen 2 /two)"
is "the node's without it" "$node_ip" "$(seen 3 /three)"
is "nothing failed on our side" 0 "$(counter error)"
