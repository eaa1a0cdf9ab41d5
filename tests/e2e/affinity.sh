#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clients that stay with an endpoint, by sessionAffinity and by a KongUpstreamPolicy:
# from many addresses, while endpoints drain, come back and go.
. "$(dirname "$0")/../lib.sh"

net_up 2 3 4
for n in 2 3 4; do
	echo_pod $n
done
for i in {1..40}; do
	ip -n "$CLIENT" addr add "10.77.0.$((100 + i))/32" dev eth0
done

# with_affinity NAME: on stdin that Service
with_affinity()
{
	sed '/^spec:$/a\  sessionAffinity: ClientIP'
}

rules()
{
	service sticky 80 1027 "$@" | with_affinity
	service policy 80 1027 "$@" | sed 's|^metadata: {name: policy}|metadata: {name: policy, annotations: {konghq.com/upstream-policy: by-ip}}|'
	cat <<-END
	---
	apiVersion: configuration.konghq.com/v1beta1
	kind: KongUpstreamPolicy
	metadata: {name: by-ip}
	spec:
	  algorithm: consistent-hashing
	  hashOn: {input: ip}
	END
	ingress sticky '' /sticky Prefix sticky 80
	ingress policy '' /policy Prefix policy 80
}

# map PATH: "ADDRESS POD" for each client address, by a connection each
map()
{
	local i

	for i in {1..40}; do
		echo "10.77.0.$((100 + i)) $(get "$1" --interface "10.77.0.$((100 + i))" |
			field pod)"
	done
}

# moved BEFORE AFTER: clients that are with another pod
moved()
{
	diff <(echo "$1") <(echo "$2") | grep -c '^>'
}

rules 10.77.1.2 10.77.1.3 10.77.1.4 >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
first=$(map /sticky)
is "every client is served" 40 "$(grep -c 'pod[234]$' <<<"$first")"
is "all pods have clients" "pod2 pod3 pod4" "$(cut -d' ' -f2 <<<"$first" | sort -u | xargs)"
is "each client stays" "$first" "$(map /sticky)"
is "another Service of the same pods, by a policy, likewise" "$first" "$(map /policy)"

ok "a pod is drained" weir endpoint drain 10.77.1.3:1027
drained=$(map /sticky)
is "its clients are elsewhere" 0 "$(grep -c pod3 <<<"$drained")"
ok "hardly another one moves" \
	[ "$(moved "$first" "$drained")" -le $(($(grep -c pod3 <<<"$first") + 4)) ]
ok "it comes back" weir endpoint undrain 10.77.1.3:1027
is "and so do its clients" "$first" "$(map /sticky)"

weir_stop
weir_start -f "$work/rules.yaml"
is "nothing had to be remembered: the same after a new start" "$first" "$(map /sticky)"

# passive ejection: the pod refuses, the kernel finds out
stop_pod 3
is "its clients are served by others" 40 "$(map /sticky | grep -c 'pod[24]$')"
is "without another client's moving" "$(grep -v pod3 <<<"$first")" \
	"$(map /sticky | grep -F "$(grep -v pod3 <<<"$first" | cut -d' ' -f1 | sed 's/$/ /')")"
echo_pod 3

before=$(counter connected)
rules 10.77.1.2 10.77.1.4 >"$work/rules.yaml"
gone()
{
	[ "$(weir endpoints -o json | jq 'map(select(.address == "10.77.1.3:1027" and
		.state != "gone")) | length')" = 0 ]
}
ok "a pod is taken away" within 10 gone
after=$(map /sticky)
is "its clients are with the others" 40 "$(grep -c 'pod[24]$' <<<"$after")"
is "as when it was drained" "$drained" "$after"
ok "connections were made" [ "$(counter connected)" -gt "$before" ]
is "nothing failed on our side" 0 "$(counter error)"
