#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The harness itself, without weir: the client reaches every pod by routing.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
answer=$(client curl -s -m 30 "http://10.77.1.2:1027/a%20b?c=d")
is "the echo pod tells the target" "/a%20b?c=d" "$(echo "$answer" | field target)"
is "the echo pod tells its name" pod2 "$(echo "$answer" | field pod)"
is "the fallback pod has its one answer" "$FALLBACK_TEXT" \
	"$(client curl -s -m 30 http://10.77.1.3:5678/)"
