#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Pods that come and go under the agent: new interfaces are found by the pattern, a
# removed endpoint gets no new requests, and what it had been sent is finished.
. "$(dirname "$0")/../lib.sh"

rules()
{
	service web 80 1027 "$@" >"$work/new.yaml"
	ingress web '' / Prefix web 80 >>"$work/new.yaml"
	mv "$work/new.yaml" "$work/rules/web.yaml"
}

answered_by()
{
	[ "$(get / | field pod)" = "$1" ]
}

mkdir -p "$work/rules" "$work/files/size"
head -c 20000000 /dev/urandom >"$work/files/size/some"
net_up 2
echo_pod 2
rules 10.77.1.2
weir_start -f "$work/rules"
is "served by the first pod" pod2 "$(get / | field pod)"

mkfifo "$work/fifo" "$work/go"
exec 9<>"$work/go"
reader()
{
	dd bs=4096 count=100 2>/dev/null
	: >"$work/begun"
	read -r <&9
	cat
}
reader <"$work/fifo" >"$work/got" &
reader=$!
children="$children $reader"
background_in "$CLIENT" curl -s -m 300 -o "$work/fifo" "http://$LISTEN/size/some"
download=$last
within 10 test -e "$work/begun"

pod_up 3
echo_pod 3
rules 10.77.1.3
ok "a new pod on a new interface is served" within 5 answered_by pod3
is "and only that one" "pod3 pod3 pod3" \
	"$(for i in 1 2 3; do get / | field pod; done | xargs)"
ok "the removed pod's download still runs" kill -0 "$download"
echo >&9
wait "$download"
is "and ends well" 0 $?
wait "$reader"
ok "with every byte" cmp "$work/got" "$work/files/size/some"

rules 10.77.1.2 10.77.1.3
ok "it comes back" within 5 answered_by pod2
ip netns del "$(pod_ns 3)"
stop_pod 3
ok "a pod whose interface is gone does not hold the other one up" \
	within 20 answered_by pod2
rules 10.77.1.2
ok "nor after its endpoint is gone" within 5 answered_by pod2

# --- a connection that is kept while its pod goes ------------------------------

coproc KEPT { exec nsenter --net="/run/netns/$CLIENT" -- \
	python3 "$(dirname "$0")/../tools/kept.py" "$LISTEN"; }
children="$children $KEPT_PID"

kept()
{
	local answer

	echo "$1" >&"${KEPT[1]}"
	read -r -t 10 answer <&"${KEPT[0]}"
	echo "$answer"
}

# state ADDRESS: of the endpoint.
state()
{
	weir endpoints -o json | jq -r --arg a "$1" '.[] | select(.address == $a).state'
}

is_state()
{
	[ "$(state "$1")" = "$2" ]
}

pod_up 5
echo_pod 5
is "one connection" pod2 "$(kept /)"
service web 80 1027 10.77.1.2 10.77.1.5 | sed '/10.77.1.2/s/ready: true/ready: false, serving: true, terminating: true/' \
	>"$work/new.yaml"
ingress web '' / Prefix web 80 >>"$work/new.yaml"
mv "$work/new.yaml" "$work/rules/web.yaml"
ok "its pod is draining" within 5 is_state 10.77.1.2:1027 draining
is "new connections go elsewhere" "pod5 pod5 pod5" \
	"$(for i in 1 2 3; do get / | field pod; done | xargs)"
is "and the next request of the old one as well" pod5 "$(kept /)"
is "where it stays" "pod5 pod5" "$(kept /) $(kept /)"
rules 10.77.1.2
ok "its second pod is removed" within 5 is_state 10.77.1.5:1027 gone
is "the next request leaves it" pod2 "$(kept /)"
