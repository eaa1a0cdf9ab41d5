#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A client whose TCP is made by hand against the agent and real nginx: client.py.
. "$(dirname "$0")/../lib.sh"

mkdir -p "$work/files/size"
head -c 1048576 /dev/urandom >"$work/files/size/1.bin"
net_up 2 3 4
echo_pod 2
echo_pod 3
origin_pod 4
{
	service two 80 1027 10.77.1.2
	service three 80 1027 10.77.1.3
	service origin 80 8000 10.77.1.4
	ingress origin '' /origin Prefix origin 80 true
	ingress a '' /a Prefix two 80
	ingress b '' /b Prefix three 80
	ingress size '' /size Prefix two 80
	ingress strip '' /strip Prefix two 80 true
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
client /usr/bin/python3 "$top/tests/raw/client.py" eth0 10.77.0.100 \
	"$(ip -n "$NODE" -j link show cli0 | jq -r ".[0].address")" "$LISTEN" 80 || failures=1
