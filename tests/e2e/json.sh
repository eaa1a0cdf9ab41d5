#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every command's -o json: docs/json.md has each key with the types that it has, and no
# other. What is printed is kept as $work/json/COMMAND.*, one document a line or more.
. "$(dirname "$0")/../lib.sh"

mkdir "$work/json"

# keep COMMAND: a document of it, from stdin.
keep()
{
	cat >"$(mktemp "$work/json/$1.XXXXXX")"
}

# keys COMMAND: "key type" of all its documents, sorted.
keys()
{
	cat "$work/json/$1".* | jq -r '
		paths(type != "object" and type != "array") as $p |
		(reduce $p[] as $k (""; . + if $k | type == "number" then "[]"
			elif . == "" then $k else "." + $k end)) + " " +
			(getpath($p) | type)' |
		sed 's/^per_second\.[^ ]*/per_second.*/' | sort -u
}

# described COMMAND: the same, from the page.
described()
{
	awk -F'|' -v want="## $1" '
		/^## / { on = $0 == want }
		on && $2 ~ /^ `/ {
			gsub(/[ `]/, "", $2); n = split($3, type, ",")
			for (i = 1; i <= n; i++) {
				gsub(/ /, "", type[i]); print $2 " " type[i]
			}
		}' "$top/docs/json.md" | sort -u
}

net_up 2 3
echo_pod 2
{
	service one 80 1027 10.77.1.2
	service ends 80 1028 10.77.1.2
	ingress one one.example /echo Prefix one 80
	ingress next '' / Prefix one 80
	ingress ends '' /ends Exact ends 80
} >"$work/rules.yaml"
{
	ingress plugin '' /plugin Prefix one 80
	ingress absent '' /absent Prefix absent 80
} | sed '0,/annotations: {/s//&konghq.com\/plugins: none, /' >"$work/more.yaml"

# without a data path
files="-f $work/rules.yaml -f $work/more.yaml"
# shellcheck disable=SC2086
explain()
{
	weir explain $files -o json "$@" 2>/dev/null | keep explain
}
# shellcheck disable=SC2086
weir check $files -o json 2>/dev/null | keep check
explain GET http://one.example/echo/x
explain GET http://one.example/absent
explain 'G T' http://one.example/
printf '%s\n' '{"id":"a","target":"/"}' '{"id":1,"target":"/","method":"GET"}' |
	explain --batch
printf 'POST /echo HTTP/1.1\r\nHost: one.example:8080\r\nContent-Length: 2\r\n\r\nokGET' |
	explain --raw -
printf 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nok' | explain --raw -
printf 'GET / HTTP/1.1\r\n\r\n' | explain --raw -
printf '\r\rx' | explain --raw -
hello()
{
	/usr/bin/python3 - "$@" <<-'END'
	import ssl, sys
	c = ssl.create_default_context()
	c.check_hostname = False
	c.set_alpn_protocols(["h2"])
	out = ssl.MemoryBIO()
	s = c.wrap_bio(ssl.MemoryBIO(), out, server_hostname=(sys.argv + [None])[1])
	try:
	    s.do_handshake()
	except ssl.SSLWantReadError:
	    sys.stdout.buffer.write(out.read())
	END
}
hello one.example | explain --raw -
hello | explain --raw -
weir help -o json | keep help

# by hand
weir attach --netns "$NODE" cli0 'pod*' -l "$LISTEN:80" -o json | keep attach
weir status -o json | keep status
weir apply -f "$work/rules.yaml" -o json 2>/dev/null | keep apply
weir detach pod3 -o json | keep detach
ip -n "$NODE" link set pod3 down
weir doctor --netns "$NODE" -o json cli0 pod3 | keep doctor
weir detach --all -o json | keep detach

# with an agent
background "$WEIR" run --netns "$NODE" -i cli0,pod2 -l "$LISTEN:80" \
	-f "$work/rules.yaml" -o json 2>"$work/log"
weir_pid=$last
within 60 weir_ready || die "weir does not start: $(cat "$work/log")"
background "$WEIR" monitor -o json >"$work/seen"
monitor=$last
within 5 eval 'bpftool -j map dump pinned "$PIN/maps/monitor" |
	jq -e ".[0].formatted.value.until_ns > 0"'
for by in outcomes routes endpoints; do
	weir top --by $by -o json -d 0.5 -n 1 >"$work/top" &
	while kill -0 $! 2>/dev/null; do
		get /echo/x -H 'Host: one.example' >/dev/null
	done
	wait $!
	keep top <"$work/top"
done
# It reads, and ends the connection.
background_in "$(pod_ns 2)" /usr/bin/python3 -c "
import socket
s = socket.create_server(('', 1028))
while True:
    c = s.accept()[0]
    c.recv(1000)
    c.close()"
within 5 listening 2 1028 || die "no server that ends"
client curl -s -m 5 -o /dev/null "http://$LISTEN/ends"
client curl -s -m 5 -o /dev/null -X 'B{D' "http://$LISTEN/"
weir endpoint drain 10.77.1.2:1028 -o json | keep endpoint
background_in "$CLIENT" /usr/bin/python3 -c "
import socket
s = socket.create_connection(('$LISTEN', 80))
s.send(b'GET / HTTP/1.1')
s.recv(1)"
half=$last
within 5 eval '[ "$(weir flows --state head -o json | jq length)" -gt 0 ]' ||
	die "no connection with half a head"
weir flows -o json | keep flows
kill "$half"
weir status -o json | keep status
weir routes -o json | keep routes
weir endpoints -o json | keep endpoints
weir stats -o json | keep stats
kill -INT "$monitor"
wait "$monitor"
keep monitor <"$work/seen"
echo 'kind: [' >"$work/rules.yaml"
kill -HUP "$weir_pid"
within 10 grep -q where "$work/log"
weir_stop
background "$WEIR" run --netns "$NODE" -i none0 -l "$LISTEN:80" -f "$work/more.yaml" \
	-o json 2>>"$work/log"
wait "$last"
keep run <"$work/log"

commands=$(weir help -o json | jq -r '.commands[].name')
for c in $commands; do
	case $c in
	metrics | completion)
		weir "$c" -o json >"$work/out" 2>/dev/null
		is "$c has no JSON: exit 2" "2 0" "$? $(wc -c <"$work/out")" ;;
	*)
		is "$c: as documented" "$(described "$c")" "$(keys "$c")" ;;
	esac
done
times=$(cat "$work/json"/*.* | jq -r '.. | objects | .time? // empty' | sort -u)
ok "times" [ -n "$times" ]
is "times are RFC 3339" "" \
	"$(grep -vE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T([0-9]{2}:){2}[0-9]{2}\.[0-9]{6}Z$' \
		<<<"$times")"
is "the version" true "$(weir --version -o json | jq '.version | length > 0')"
