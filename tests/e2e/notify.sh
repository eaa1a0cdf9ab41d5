#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the agent tells its service manager.
. "$(dirname "$0")/../lib.sh"

net_up 2
cp -r "$top/tests/manifests/guide" "$work/rules"

# One datagram a line.
background /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
' "$work/notify" >"$work/told"
within 10 test -S "$work/notify" || die "no socket"

told()
{
	grep -c "^$1" "$work/told"
}

export NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=200000
weir_start -f "$work/rules"
ok "READY=1 when it serves" within 10 grep -qx READY=1 "$work/told"
has "what it serves comes with it" "serving 2 routes to 2 endpoints" \
	"$(grep STATUS= "$work/told")"
ok "WATCHDOG=1 again and again" within 20 eval '[ "$(told WATCHDOG=1)" -ge 3 ]'
is "nothing is reloaded yet" 0 "$(told RELOADING=1)"
kill -HUP "$weir_pid"
ok "RELOADING=1 at SIGHUP, with a time" within 10 \
	grep -qE '^RELOADING=1 MONOTONIC_USEC=[0-9]+$' "$work/told"
ok "READY=1 behind it" within 10 eval '[ "$(told READY=1)" = 2 ]'
echo 'kind: [' >"$work/rules/broken.yaml"
ok "a refused reload" within 20 grep -q 'stay as they are' "$work/weir.log"
kill -HUP "$weir_pid"
ok "is ready too, with the rules in use" within 10 eval '[ "$(told READY=1)" = 3 ]'
weir_stop
is "STOPPING=1 at the end" 1 "$(told STOPPING=1)"

export WATCHDOG_PID=1
rm "$work/rules/broken.yaml"
: >"$work/told"
weir_start -f "$work/rules"
ok "READY=1" within 10 grep -qx READY=1 "$work/told"
weir_stop
is "a watchdog of another process is not ours" 0 "$(told WATCHDOG=1)"
