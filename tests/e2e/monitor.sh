#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# weir monitor: what it says of each request, its filters, one reader at a time.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
echo_pod 3
two_and_three example.com >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

# monitor_start ARGUMENT...: until the kernel writes for it.
monitor_start()
{
	: >"$work/seen"
	background "$WEIR" monitor "$@" >"$work/seen" 2>"$work/seen.err"
	monitor=$last
	within 5 is_watched || die "monitor: $(cat "$work/seen.err")"
}

is_watched()
{
	local until

	until=$(bpftool -j map dump pinned "$PIN/maps/monitor" |
		jq '.[0].formatted.value.until_ns')
	[ "$until" -gt 0 ]
}

monitor_stop()
{
	kill -INT "$monitor"
	within 5 not kill -0 "$monitor"
	wait "$monitor"
}

lines()
{
	[ "$(wc -l <"$work/seen")" -ge "$1" ]
}

# seen N KEY: of the line about request number N of those on one connection
seen()
{
	jq -r "select(.request == $1) | .$2" "$work/seen"
}

monitor_start -o json
client curl -s -o /dev/null -H 'Host: Example.com:80' "http://$LISTEN/two/a?b=c" \
	-H 'Host: Example.com:80' "http://$LISTEN/none"
ok "a line each when it is answered" within 5 lines 2
is "method" GET "$(seen 1 method)"
is "host" Example.com "$(seen 1 host)"
is "target" "/two/a?b=c" "$(seen 1 target)"
is "Ingress" default/two "$(seen 1 ingress)"
is "path of the rule" /two "$(seen 1 path)"
is "endpoint" 10.77.1.2:1027 "$(seen 1 endpoint)"
is "service" default/two:80 "$(seen 1 service)"
is "status" 200 "$(seen 1 status)"
has "client" 10.77.0.2: "$(seen 1 client)"
ok "bytes both ways" test "$(seen 1 bytes_up)" -gt 40 -a "$(seen 1 bytes_down)" -gt 40
is "the kernel's own answer" "404 true null" \
	"$(seen 2 'status') $(seen 2 kernel) $(seen 2 endpoint)"
has "one reader at a time" "another weir reads the events" \
	"$(weir monitor 2>&1 -n 1)"
monitor_stop
is "switched off at the end" 0 "$(bpftool -j map dump pinned "$PIN/maps/monitor" |
	jq '.[0].formatted.value.until_ns')"

monitor_start -o json --status 4xx --client 10.77.0.0/24
get /three/x >/dev/null
get /none >/dev/null
get /three/x >/dev/null
get /nothing >/dev/null
ok "by class and client: those that fit" within 5 lines 2
is "by class: nothing else" "/none /nothing" "$(jq -r .target "$work/seen" | xargs)"
monitor_stop

monitor_start -o json --route default/three
get /none >/dev/null
get /two/x -H 'Host: example.com' >/dev/null
get /three/x >/dev/null
ok "by Ingress: the one that fits" within 5 lines 1
is "by Ingress: nothing else" "/three/x" "$(jq -r .target "$work/seen" | xargs)"
monitor_stop

monitor_start -o json --host EXAMPLE.com
get /three/x >/dev/null
get /three/y -H 'Host: example.com.' >/dev/null
ok "by host: the one that fits" within 5 lines 1
is "by host: nothing else" "/three/y" "$(jq -r .target "$work/seen" | xargs)"
monitor_stop

monitor_start -n 1
get /three/x >/dev/null
ok "ends after so many lines" within 5 not kill -0 "$monitor"
has "text" "GET     10.77.0.1/three/x  default/three  10.77.1.3:1027  200" \
	"$(cat "$work/seen")"

has "an Ingress that is not there" "no route of this Ingress: no/such" \
	"$(weir monitor --route no/such 2>&1)"
has "a status that is none" "neither a code nor a class" "$(weir monitor --status 6xx 2>&1)"
