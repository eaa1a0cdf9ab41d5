#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 10,000 requests of many kinds to three Services and to none, on 50 connections, over
# wires that lose 1 % of what passes and let some of it overtake: every answer is the
# answer to its request.
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || skip "no python3"
WIRES=1
net_up 2 3 4
echo_pod 2
echo_pod 3
origin_pod 4
{
	two_and_three
	service origin 80 8000 10.77.1.4
	ingress origin '' /origin Prefix origin 80 true
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
wires 11 loss 1% delay 1ms reorder 5%
is "10,000 mixed requests, each with its own answer" 10000 \
	"$(client python3 "$top/tests/tools/mixed.py" "$LISTEN" 50 200 3)"
wires_down
has "no wire was full" " 0 dropped" "$(cat "$work/wires.log")"
ok "connections went from Service to Service" test "$(counter switched)" -gt 100
is "nothing failed on our side" 0 "$(counter error)"
