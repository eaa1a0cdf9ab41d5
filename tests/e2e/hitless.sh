#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No request fails whatever happens to the agent, to the rules or to other interfaces:
# on connections of their own, on one kept alive, and under wrk.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
cp -r "$top/tests/manifests/guide" "$work/rules"

# clients: in the background, see clients_end.
clients()
{
	local kind

	hammers=
	for kind in close keep; do
		background_in "$CLIENT" /usr/bin/python3 "$top/tests/tools/hammer.py" \
			$kind "$LISTEN" /echo >"$work/hammer.$kind"
		hammers="$hammers $last"
	done
	for kind in close keep; do
		within 20 grep -q begun "$work/hammer.$kind" || die "no first answer"
	done
}

# clients_end WHAT
clients_end()
{
	local kind pid

	# Each has had requests after the last event.
	for kind in close keep; do
		get /echo >/dev/null
	done
	for pid in $hammers; do
		kill -TERM "$pid"
		wait "$pid"
	done
	for kind in close keep; do
		has "$1, $kind" " 0 failed" "$(tail -n 1 "$work/hammer.$kind")"
	done
}

ready()
{
	grep -q 'weir: ready' "$work/weir.log"
}

again()
{
	: >"$work/weir.log"
	weir_start -f "$work/rules" --keep
	within 20 ready || die "not ready again"
}

again
for event in KILL TERM; do
	clients
	for _ in 1 2; do
		kill -$event "$weir_pid"
		wait "$weir_pid" 2>/dev/null
		again
	done
	clients_end "SIG$event and a new agent, twice"
done

clients
cp "$WEIR" "$work/weir-next"
for binary in "$work/weir-next" "$WEIR"; do
	kill -TERM "$weir_pid"
	wait "$weir_pid"
	WEIR=$binary again
done
clients_end "upgrade and back"

clients
for i in 1 2 3 4; do
	before=$(generation)
	if [ $((i % 2)) = 1 ]; then
		ingress more '' "/more$i" Prefix echo 1027 >"$work/rules/more.yaml"
	else
		rm "$work/rules/more.yaml"
	fi
	within 20 weir_ready "$before" || fail "change $i does not arrive"
done
clients_end "rules that change, four times"

weir_stop
clients
for i in 1 2 3; do
	ingress more '' "/again$i" Prefix echo 1027 >"$work/more.yaml"
	weir apply --netns "$NODE" -f "$work/rules" -f "$work/more.yaml" 2>"$work/err" ||
		fail "apply: $(cat "$work/err")"
done
clients_end "weir apply, three times, without an agent"

again
clients
hooks()
{
	weir status -o json | jq '.interfaces | map(select(.attached)) | length'
}
for _ in 1 2; do
	ip -n "$NODE" link add pod9 type veth peer name far9
	ip -n "$NODE" link set pod9 up
	within 20 eval '[ "$(hooks)" = 4 ]' || fail "pod9 is not attached"
	ip -n "$NODE" link set pod9 down
	ip -n "$NODE" link set pod9 name pod8
	ip -n "$NODE" link set pod8 up
	ip -n "$NODE" link del pod8
	within 20 eval '[ "$(hooks)" = 3 ]' || fail "pod8 is not forgotten"
done
clients_end "interfaces that come, are renamed and go"

background_in "$CLIENT" wrk -t1 -c16 -d4 --timeout 20s "http://$LISTEN/echo" >"$work/wrk"
wrk=$last
for _ in 1 2; do
	kill -KILL "$weir_pid"
	wait "$weir_pid" 2>/dev/null
	again
done
wait "$wrk"
is "wrk: no error" "" "$(grep -E 'Socket errors|Non-2xx' "$work/wrk")"
ok "wrk: requests" grep -qE '^ +[1-9][0-9]+ requests in' "$work/wrk"
