#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The data path without its agent: it goes on, the next agent adopts it, and detach
# leaves nothing behind.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
cp -r "$top/tests/manifests/guide" "$work/rules"

# hooks: filters, classful queues and links on the node's interfaces.
hooks()
{
	local i

	for i in cli0 pod2 pod3; do
		node tc qdisc show dev "$i" | grep -E 'clsact|ingress'
		node tc filter show dev "$i" ingress 2>/dev/null
	done
}

# A download that stands still, far from its end, until $work/go says so.
mkdir -p "$work/files/size"
head -c 20000000 /dev/urandom >"$work/files/size/slow"
mkfifo "$work/fifo" "$work/go"
exec 9<>"$work/go"
reader()
{
	dd bs=4096 count=100 2>/dev/null
	: >"$work/begun"
	read -r <&9
	cat
}

for hook in ${HOOKS:-tcx clsact}; do
	unset WEIR_NO_TCX
	theirs=
	if [ "$hook" = clsact ]; then
		export WEIR_NO_TCX=1
		node tc qdisc add dev cli0 clsact
		theirs=$(hooks)
		[ -n "$theirs" ] || die "no qdisc"
	fi
	weir_start -f "$work/rules"
	is "$hook: served" 200 "$(status /echo)"
	kind=$(weir status -o json | jq -r '.interfaces[0].hook')
	if [ "$hook" = tcx ] && [ "$kind" = clsact ]; then
		echo "SKIP tcx: this kernel has none"
		weir_stop
		continue
	fi
	is "$hook: is the hook" "$hook" "$kind"

	rm -f "$work/begun"
	reader <"$work/fifo" >"$work/slow" &
	reader=$!
	children="$children $reader"
	background_in "$CLIENT" curl -s -m 300 -o "$work/fifo" \
		"http://$LISTEN/echo/size/slow"
	download=$last
	within 10 test -e "$work/begun"

	kill -KILL "$weir_pid"
	wait "$weir_pid" 2>/dev/null
	is "$hook: agent killed, traffic goes on" 200 "$(status /echo)"
	is "$hook: agent killed, default backend too" "$FALLBACK_TEXT" "$(get /)"
	ok "$hook: and a download in flight" kill -0 "$download"

	weir_start -f "$work/rules"
	is "$hook: the next agent serves" 200 "$(status /echo)"
	ok "$hook: the download lives through it" kill -0 "$download"
	echo >&9
	wait "$download"
	is "$hook: the download ends well" 0 $?
	wait "$reader"
	ok "$hook: with every byte" cmp "$work/slow" "$work/files/size/slow"
	rm -f "$work/slow"
	not "$WEIR" run --netns "$NODE" -i cli0 -l "$LISTEN:80" -f "$work/rules" \
		>"$work/second" 2>&1
	is "$hook: a second agent is refused, with one reason" 0 $?
	for other in "run -i cli0 -l $LISTEN:80 -f $work/rules" "attach cli0" \
		"detach cli0" "detach --all"; do
		# shellcheck disable=SC2086
		has "$hook: with an agent, no ${other%% -i*}, and it says whose" \
			"process $weir_pid" "$(weir $other --netns "$NODE" 2>&1)"
	done
	is "$hook: and still serves" 200 "$(status /echo)"
	weir_stop
	ok "$hook: stopped, no pin" not test -e "$PIN"
	is "$hook: stopped, no hook but what was there before" "$theirs" "$(hooks)"
	ok "$hook: stopped, the port is the node's own" not get / -m 2

	weir_start -f "$work/rules" --keep
	weir_stop
	is "$hook: stopped with --keep, served" 200 "$(status /echo)"
	ok "$hook: detach --all" weir detach --all --netns "$NODE"
	ok "$hook: detached, no pin" not test -e "$PIN"
	is "$hook: detached, no hook but what was there before" "$theirs" "$(hooks)"
done
