#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What goes wrong on a node is named, with what to do about it, and changes nothing.
. "$(dirname "$0")/../lib.sh"

# fails WHAT STATUS PART COMMAND...: it ends like that, and PART is in what it says.
fails()
{
	local what=$1 status=$2 part=$3 said

	shift 3
	said=$("$@" 2>&1 >/dev/null)
	is "$what: exit $status" "$status" $?
	has "$what" "$part" "$said"
}

# without CAPABILITY ARGUMENT...: weir, without it
without()
{
	local cap=$1

	shift
	setpriv --bounding-set="-$cap" --inh-caps="-$cap" "$WEIR" "$@"
}

net_up 2

fails "an interface that is not there: the one that is alike" 1 "weir: hint: did you mean cli0?" \
	weir attach --netns "$NODE" cli1 -l "$LISTEN:80"
fails "an interface that is not there: those that are" 1 "cli0, pod2" \
	weir attach --netns "$NODE" wlan0 -l "$LISTEN:80"
ok "nothing was made" not test -e "$PIN"

fails "a capability" 3 "CAP_NET_ADMIN missing" \
	without net_admin attach --netns "$NODE" cli0
fails "two capabilities" 3 "CAP_BPF" \
	without bpf,-sys_admin attach cli0
fails "no bpf filesystem" 1 "mount -t bpf bpf /sys/fs/bpf" \
	weir attach --netns "$NODE" --pin "$work/weir" cli0
# shellcheck disable=SC2016
fails "no bpf filesystem, and not permitted to mount it" 3 "CAP_SYS_ADMIN missing" \
	unshare -m sh -c 'umount -l /sys/fs/bpf && exec setpriv --bounding-set=-sys_admin \
	--inh-caps=-sys_admin "$0" attach lo' "$WEIR"

fails "a command" 2 "did you mean attach?" \
	weir atach cli0
fails "help for a command" 2 "did you mean attach?" \
	weir help atach

fails "an option" 2 "did you mean --listen?" \
	weir attach cli0 --listn "$LISTEN:80"
fails "a pin directory with a dot" 2 "no dots" \
	weir status --pin "$PIN.old"
fails "a network namespace" 1 "did you mean $NODE?" \
	weir status --netns "${NODE}x"
fails "a listener" 1 "no name, and a port of 1 to 65535" \
	weir attach --netns "$NODE" cli0 -l localhost:80
guide=$top/tests/manifests/guide
fails "where metrics are served" 1 "127.0.0.1:9090" \
	weir run --netns "$NODE" -i cli0 -l "$LISTEN:80" -f "$guide" --metrics 9090
has "a class that no Ingress has" \
	"no rule is served: Ingress default/demo passed over: its class is kong" \
	"$(weir check -f "$guide" --ingress-class nginx 2>&1 >/dev/null)"
weir attach --netns "$NODE" cli0 -l "$LISTEN:80"
weir apply -f "$guide" 2>/dev/null
fails "an endpoint" 1 "did you mean 10.77.1.2:1027?" \
	weir endpoint drain 10.77.1.2:1028
fails "a Service" 1 "did you mean default/echo?" \
	weir endpoint drain default/ecko
fails "an Ingress to watch" 1 "did you mean default/demo?" \
	weir monitor --route default/demos
fails "an Ingress to filter by: a warning" 0 "did you mean default/demo?" \
	weir flows --route default/demos
weir detach --all

background_in "$NODE" /usr/bin/python3 -m http.server -b "$LISTEN" 80 \
	>"$work/server.log" 2>&1
within 5 sh -c "nsenter --net=/run/netns/$NODE ss -Hltn 'sport = :80' | grep -q ." ||
	die "no server"
said=$(weir attach --netns "$NODE" cli0 -l "$LISTEN:80" -l "$LISTEN:81" 2>&1)
is "a process on the port: a warning, no more" 0 $?
is "a process on the port: for that listener only" 1 "$(grep -c "process listens" <<<"$said")"
has "a process on the port: which" "listener $LISTEN:80: a process" "$said"
is "once only" "" "$(weir attach --netns "$NODE" cli0 -l "$LISTEN:80" 2>&1)"
