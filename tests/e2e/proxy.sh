#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# PROXY protocol headers towards endpoints that want them: nginx reads them and says whom
# they name, on connections between Services with and without, and under load.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
client_ip=10.77.0.2 node_ip=10.77.1.1 pod=10.77.1.2
[ -z "${V6:-}" ] || { client_ip=fd00:77::2 node_ip=fd00:77:1::1 pod=[fd00:77:1::2]; }
ACCESS_LOG=$work/seen2 LISTEN_HOW='proxy_protocol; real_ip_header proxy_protocol;
	set_real_ip_from 0.0.0.0/0; set_real_ip_from ::/0' echo_pod 2
ACCESS_LOG=$work/seen3 echo_pod 3
mkdir -p "$work/files/size" "$work/files/put"
head -c 5000000 /dev/urandom >"$work/files/size/5M"
{
	service two 80 1027 "$(pod_ip 2)" | sed \
		's|^metadata: {name: two}|metadata: {name: two, annotations: {weir/proxy-protocol: v2}}|'
	service three 80 1027 "$(pod_ip 3)"
	ingress two '' / Prefix two 80
	ingress three '' /three Prefix three 80
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

# seen N PATH: the addresses that pod N was told of behind requests for PATH
seen()
{
	within 5 grep -q "GET $2" "$work/seen$1"
	awk -v path="$2" '$7 == path { print $1 }' "$work/seen$1" | sort -u | xargs
}

ok "the pod takes no connection without a header" \
	not node curl -s -m 5 -o /dev/null "http://$pod:1027/"
is "one connection, to and fro" "pod2 pod2 pod3 pod2" \
	"$(client curl -s -m 5 "http://$LISTEN"/{two,two,three,two} | field pod | xargs)"
is "the header names the client" "$client_ip" "$(seen 2 /two)"
is "the other Service has none" "$node_ip" "$(seen 3 /three)"
is "a download behind a header" "$(sha256sum <"$work/files/size/5M")" \
	"$(get /size/5M | sha256sum)"
is "an upload" 201 "$(status /put/5M -T "$work/files/size/5M")"
ok "is complete" cmp "$work/files/size/5M" "$work/files/put/5M"
is "three requests, one header" 3 "$(client curl -s -m 5 "http://$LISTEN"/{a,b,c} | grep -c pod2)"
is "nothing failed on our side" 0 "$(counter error)"
