#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What an agent may do once it serves, and that this is enough for all its work.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
cp -r "$top/tests/manifests/guide" "$work/rules"

of_status()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$weir_pid/status"
}

# names HEX: capabilities by name, in order.
names()
{
	capsh --decode="$1" | sed 's/.*=//'
}

has_iface()
{
	weir status -o json | jq -e --arg n "$1" \
		'any(.interfaces[]; .interface == $n and .attached)' >/dev/null
}

routes()
{
	[ "$(weir status -o json | jq .routes)" "$@" ]
}

weir_start -f "$work/rules"
within 10 grep -q 'weir: ready' "$work/weir.log"
is "capabilities" "cap_net_admin,cap_net_raw,cap_perfmon,cap_bpf" \
	"$(names "$(of_status CapEff)")"
is "no others are permitted" "$(of_status CapEff)" "$(of_status CapPrm)"
is "nor can be had by a program" 0000000000000000 "$(of_status CapBnd)"
is "no_new_privs" 1 "$(of_status NoNewPrivs)"
is "system calls are filtered" 2 "$(of_status Seccomp)"
is "system calls: status tells it" true "$(weir status -o json | jq .agent_seccomp)"
is "pins are root's alone: directories" 700 \
	"$(find "$PIN" -type d -printf '%m\n' | sort -u)"
is "pins are root's alone: objects" 600 "$(find "$PIN" -type f -printf '%m\n' | sort -u)"

is "it serves" 200 "$(status /echo)"
before=$(generation)
ingress more '' /more Prefix echo 1027 >"$work/rules/more.yaml"
within 20 weir_ready "$before"
ok "a reload" routes -gt 0
before=$(generation)
for i in $(seq 20000); do
	echo "  - {host: 'h$i.example', http: {paths: [{path: /some/longer/path/$i, pathType: Prefix, backend: {service: {name: echo, port: {number: 1027}}}}]}}"
done >"$work/many"
{
	printf '%s\n' 'apiVersion: networking.k8s.io/v1' 'kind: Ingress' \
		'metadata: {name: many}' 'spec:' '  ingressClassName: kong' '  rules:'
	cat "$work/many"
} >"$work/rules/.many"
mv "$work/rules/.many" "$work/rules/many.yaml"
within 60 weir_ready "$before"
ok "a table that needs a larger map, and the program again" routes -gt 20000
is "and it serves" 200 "$(status /echo)"

ip -n "$NODE" link add pod9 type veth peer name far9
ip -n "$NODE" link set pod9 up
ok "an interface that comes" within 20 has_iface pod9
ip -n "$NODE" link del pod9
ok "and goes" within 20 not has_iface pod9

before=$(generation)
rm "$work/rules/many.yaml" "$work/rules/more.yaml"
kill -HUP "$weir_pid"
within 30 weir_ready "$before"
ok "SIGHUP" routes -lt 20000
is "and it serves" 200 "$(status /echo)"
weir_stop
ok "stopped, no pin" not test -e "$PIN"

: >"$work/weir.log"
weir_start -f "$work/rules" --no-seccomp
within 10 grep -q 'weir: ready' "$work/weir.log"
is "--no-seccomp" 0 "$(of_status Seccomp)"
is "--no-seccomp: status tells it" false "$(weir status -o json | jq .agent_seccomp)"
is "--no-seccomp: doctor tells it" warn "$(weir doctor --netns "$NODE" -o json |
	jq -r '.checks[] | select(.check == "seccomp").result')"
weir_stop

# Files of somebody else's.
chmod 600 "$work"/rules/*
chown -R nobody "$work/rules"
: >"$work/weir.log"
weir_start -f "$work/rules"
within 10 grep -q 'weir: ready' "$work/weir.log"
has "with manifests that root may not read by itself" cap_dac_read_search \
	"$(names "$(of_status CapEff)")"
before=$(generation)
ingress more '' /more Prefix echo 1027 >"$work/rules/more.yaml"
chown nobody "$work/rules/more.yaml"
chmod 600 "$work/rules/more.yaml"
ok "they are read again" within 20 weir_ready "$before"
