#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What deploy/ would run: arguments, capabilities and volumes as they stand there.
. "$(dirname "$0")/../lib.sh"

net_up 2
echo_pod 2
yaml=$top/deploy/kubernetes/weir.yaml

part()
{
	/usr/bin/python3 "$top/tests/tools/deploy.py" "$1" "$yaml"
}

is "what objects call each other by exists" ok "$(part links 2>&1 | tail -n 1)"

# The kubelet's layout: files are links into ..data, which is switched.
volume=$work/volume
renew()
{
	mkdir -p "$volume/..$1"
	cat >"$volume/..$1/rules.yaml"
	ln -sfn "..$1" "$volume/..data_tmp"
	mv -T "$volume/..data_tmp" "$volume/..data"
	ln -sfn ..data/rules.yaml "$volume/rules.yaml"
}

# With this test's addresses and interfaces; weir itself is what is built here.
local_names()
{
	sed -e "s/10\.244\.1\.2/10.77.1.2/; s/=eth0$/=cli0/; s/=veth\*$/=pod*/" \
		-e "s,=/etc/weir$,=$volume,; s/=:80$/=$LISTEN:80/; /^weir$/d"
}

# with CAPABILITY... -- COMMAND...: nothing but these, on the node.
with()
{
	local set=-all

	while [ "$1" != -- ]; do
		set=$set,+$1
		shift
	done
	shift
	background_in "$NODE" setpriv --no-new-privs --bounding-set "$set" "$@" \
		>"$work/weir.log" 2>&1
	weir_pid=$last
	within 60 grep -q 'weir: ready' "$work/weir.log"
}

part rules | local_names | renew 1
mapfile -t args < <(part args | local_names)
mapfile -t caps < <(part caps)
if with "${caps[@]}" -- "$WEIR" "${args[@]}"; then
	pass "DaemonSet: serves with its arguments and capabilities"
else
	fail "DaemonSet: serves with its arguments and capabilities"
	cat "$work/weir.log"
fi
is "DaemonSet: a request" 200 "$(status /echo)"
is "DaemonSet: the probe" 200 "$(client curl -s -m 30 -o /dev/null -w '%{http_code}' \
	"http://$LISTEN:9113$(part path)")"
{ part rules | local_names; ingress more '' /more Prefix echo 1027; } | renew 2
ok "DaemonSet: a new ConfigMap arrives" within 20 eval '[ "$(status /more)" = 200 ]'
weir_stop
is "DaemonSet: the data path outlives the pod" 200 "$(status /echo)"

unit=$top/deploy/systemd/weir.service
mapfile -t caps < <(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr A-Z a-z |
	sed 's/cap_//g' | tr ' ' '\n')
# shellcheck disable=SC1091,SC2046
mapfile -t args < <(. "$top/deploy/systemd/weir.default" && printf '%s\n' $WEIR_OPTIONS |
	sed "s/^eth0$/cli0/; s/192\.0\.2\.10/$LISTEN/; s,^/etc/weir$,$volume,")
mapfile -t exec < <(sed -n 's/^ExecStart=[^ ]* //p' "$unit" | tr ' ' '\n' | grep -v WEIR_OPTIONS)
if with "${caps[@]}" -- "$WEIR" "${exec[@]}" "${args[@]}" -i 'pod*'; then
	pass "systemd: serves with its arguments and capabilities"
else
	fail "systemd: serves with its arguments and capabilities"
	cat "$work/weir.log"
fi
is "systemd: a request" 200 "$(status /echo)"
weir_stop

if command -v systemd-analyze >/dev/null; then
	sed "s,^ExecStart=[^ ]*,ExecStart=$WEIR,; /^Documentation=/d" "$unit" \
		>"$work/weir.service"
	ok "systemd-analyze verify" systemd-analyze verify --man=no "$work/weir.service"
	is "systemd-analyze verify says nothing" "" \
		"$(systemd-analyze verify --man=no "$work/weir.service" 2>&1)"
else
	echo "SKIP systemd-analyze is not here"
fi
