#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Request heads in every shape, keep-alive, pipelining, bodies: tests/tools/heads.py.
. "$(dirname "$0")/../lib.sh"

net_up 2 4
echo_pod 2
origin_pod 4
{
	service echo 80 1027 10.77.1.2
	service origin 80 8000 10.77.1.4
	ingress echo '' /echo Prefix echo 80 true
	ingress origin '' /origin Prefix origin 80 true
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
client /usr/bin/python3 "$top/tests/tools/heads.py" "$LISTEN" 80 || failures=1
