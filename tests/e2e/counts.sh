#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is counted by route and by endpoint, as bpftool and the commands show it.
. "$(dirname "$0")/../lib.sh"

net_up 2 4
echo_pod 2
origin_pod 4
{
	service echo 80 1027 10.77.1.2
	service origin 80 8000 10.77.1.4
	service shut 80 9 10.77.1.2
	ingress echo '' /echo Prefix echo 80
	ingress origin '' /origin Prefix origin 80 true
	ingress shut '' /shut Prefix shut 80
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

# count MAP WHERE FIELD: a field of the entry that holds the text WHERE.
count()
{
	bpftool -j map dump pinned "$PIN/maps/$1" | python3 -c '
import json, sys
where, field = sys.argv[1:]
for entry in json.load(sys.stdin):
    value = entry.get("formatted", entry)["value"]
    if where in [v for v in value.values() if isinstance(v, str)]:
        print(value[field] if field in value else "no " + field)' "$2" "$3"
}

client curl -s -m 30 "http://$LISTEN/echo/1" "http://$LISTEN/origin/2" \
	"http://$LISTEN/echo/3" -o /dev/null -o /dev/null -o /dev/null
client curl -s -m 30 "http://$LISTEN/shut" -o /dev/null
head -c 100000 /dev/zero >"$work/body"
client curl -s -m 30 -T "$work/body" "http://$LISTEN/origin/put" -o /dev/null

is "requests of a route" 2 "$(count route_stats /echo requests)"
is "requests of another" 2 "$(count route_stats /origin requests)"
is "responses by class" "[0, 2, 0, 0, 0]" "$(count route_stats /echo responses)"
is "the kernel's own response" "[0, 0, 0, 0, 1]" "$(count route_stats /shut responses)"
up=$(count route_stats /origin bytes_up)
down=$(count route_stats /echo bytes_down)
is "the body is counted" yes "$([ "$up" -gt 100000 ] && [ "$up" -lt 102000 ] && echo yes)"
is "the responses are counted" yes "$([ "$down" -gt 200 ] && echo yes)"
is "each response has a time to its first byte" 2 \
	"$(count route_stats /echo first_byte_us | python3 -c 'import json, sys; print(sum(json.load(sys.stdin)))')"
is "connections of an endpoint" 2 "$(count endpoint_stats 10.77.1.4:8000 connections)"
is "failures of an endpoint" 1 "$(count endpoint_stats 10.77.1.2:9 failures)"
is "weir routes tells" 2 "$($WEIR routes -o json | python3 -c '
import json, sys
print([r["requests"] for r in json.load(sys.stdin) if r["path"] == "/echo"][0])')"
is "weir endpoints tells" 1 "$($WEIR endpoints -o json | python3 -c '
import json, sys
print([e["failures"] for e in json.load(sys.stdin) if e["address"] == "10.77.1.2:9"][0])')"
is "weir metrics tells" 2 "$($WEIR metrics | sed -n \
	's/^weir_route_requests_total{.*path="\/echo".*} //p')"
