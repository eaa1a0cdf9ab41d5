#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# weir doctor: what it finds is what there is.
. "$(dirname "$0")/../lib.sh"

# doctor ARGUMENT...: its findings, for found
doctor()
{
	weir doctor --netns "$NODE" -o json "$@" >"$work/doctor.json"
}

# found CHECK: results and texts of it
found()
{
	jq -r --arg c "$1" '.checks[] | select(.check == $c) | .result + " " + .found' \
		"$work/doctor.json"
}

net_up 2
echo_pod 2

doctor
is "a node that can run weir: exit 0" 0 $?
is "a node that can run weir: ok" true "$(jq .ok "$work/doctor.json")"
is "the kernel is asked" "ok the kernel accepts it" "$(found program)"
ok "nothing is left behind" not test -e "$PIN"
is "interfaces that are up" "ok cli0 ok pod2" "$(found interface | sort | xargs)"

has "the helpers are asked for" bpf_loop "$(found helpers)"
is "capabilities, the lesser ones too" "ok ok ok ok" \
	"$(found capabilities | awk '{print $1}' | xargs)"
setpriv --bounding-set=-net_raw,-setpcap --inh-caps=-net_raw,-setpcap \
	"$WEIR" doctor --netns "$NODE" -o json >"$work/doctor.json"
is "without CAP_NET_RAW and CAP_SETPCAP: weir runs" "0 true" \
	"$? $(jq .ok "$work/doctor.json")"
has "without CAP_NET_RAW: what that means" "warn without CAP_NET_RAW" \
	"$(found capabilities)"

doctor cli0
is "the interfaces that are named" "ok cli0" "$(found interface)"
weir doctor --netns "$NODE" cli1 >"$work/out" 2>"$work/err"
is "no such interface: exit 1" 1 $?
has "no such interface: named" cli1 "$(cat "$work/err")"

node sysctl -q -w net.ipv4.ip_forward=0
doctor
has "no forwarding" "warn cli0: IPv4 forwarding is off" "$(found forwarding)"
node sysctl -q -w net.ipv4.ip_forward=1
WEIR_NO_TCX=1 weir attach --netns "$NODE" --pin "$PIN-2" pod2
doctor
has "a filter on the interface" "warn pod2: 1 tc filter on ingress" "$(found programs)"
weir detach --pin "$PIN-2" --all

weir_start -f "$top/tests/manifests/guide"
doctor
is "a data path: no second one is tried" "ok loaded, under $PIN" "$(found program)"
is "a data path: its interfaces, no programs but its own" "ok cli0 ok pod2" \
	"$(found interface | sort | xargs)"
is "a data path: its listener" "ok $LISTEN:80/http" "$(found listener)"
weir doctor --netns "$NODE" --pin /sys/fs/bpf/not-there -o json >"$work/doctor.json"
has "a data path of others" "warn cli0: another weir is attached" "$(found programs)"
background_in "$NODE" /usr/bin/python3 -m http.server -b "$LISTEN" 80 \
	>"$work/server.log" 2>&1
within 5 sh -c "nsenter --net=/run/netns/$NODE ss -Hltn 'sport = :80' | grep -q ." ||
	die "no server"
doctor
has "a process on the port of a listener" "warn $LISTEN:80: a process listens there too" \
	"$(found listener)"
weir_stop

setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --regid 65534 --clear-groups \
	sh -c "'$WEIR' doctor -o json" >"$work/doctor.json" 2>"$work/err"
is "without privileges: exit 1" 1 $?
is "what is wrong has a remedy" 0 \
	"$(jq '[.checks[] | select(.result != "ok" and .remedy == null)] | length' \
		"$work/doctor.json")"
is "without privileges: not ok" false "$(jq .ok "$work/doctor.json")"
has "without privileges: which" "CAP_NET_ADMIN" "$(found capabilities)"
weir doctor --pin /tmp/weir -o json >"$work/doctor.json"
is "no bpf filesystem: exit 1" 1 $?
has "no bpf filesystem" "fail /tmp/weir" "$(found bpffs)"
