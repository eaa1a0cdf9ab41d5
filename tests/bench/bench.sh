#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/bench.sh [--part steps|rules|load]... [--json FILE]
#	[--rounds N] [--seconds N] [--connections N] [--only KIND]...
#
# Everything runs on this machine, client and pods included, so that ratios count, not
# figures:
#
#	steps	nanoseconds of one run of the program, by what the packet is, and at
#		10, 1,000 and 100,000 routes (steps.c)
#	rules	the way of a rule: reading, compiling, following a change (rules.py)
#	load	wrk through weir, nginx and haproxy as proxies on the node, and straight
#		to the pod by the node's routing (load.py, which takes the other options)
#
# Text on stdout; JSON of all parts in FILE, $BUILD/bench.json by default.

# What is uploaded goes into files: memory, if there is room.
if [ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 262144 ]; then
	export TMPDIR=/dev/shm
fi
. "$(dirname "$0")/../lib.sh"

parts=
json=$BUILD/bench.json
rounds=3
load=
only=()
while [ $# -gt 0 ]; do
	case $1 in
	--part)	parts="$parts $2" ;;
	--json)	json=$2 ;;
	--rounds)
		rounds=$2
		load="$load $1 $2"
		;;
	--seconds | --connections)
		load="$load $1 $2" ;;
	--only)	only+=(--only "$2") ;;
	*)	echo "bench.sh: $1?" >&2; exit 2 ;;
	esac
	shift 2 || exit 2
done
parts=${parts:-steps rules load}

servers_up()
{
	mkdir -p "$work/files/size"
	truncate -s 256M "$work/files/size/bulk"
	echo_pod 2
	echo_pod 3
	two_and_three >"$work/rules.yaml"
	weir_start -f "$work/rules.yaml"
}

nginx_up()
{
	cat >"$work/proxy.conf" <<-END
	worker_processes $(nproc);
	user root;
	pid $work/proxy.pid;
	error_log $work/proxy.log;
	events { worker_connections 8192; }
	http {
		access_log off;
		client_body_temp_path $work;
		proxy_temp_path $work;
		fastcgi_temp_path $work;
		uwsgi_temp_path $work;
		scgi_temp_path $work;
		keepalive_requests 10000000;
		client_max_body_size 0;
		upstream two { server 10.77.1.2:1027; keepalive 64; }
		upstream three { server 10.77.1.3:1027; keepalive 64; }
		server {
			listen $LISTEN:81 reuseport backlog=4096;
			proxy_http_version 1.1;
			proxy_request_buffering off;
			proxy_set_header Connection "";
			proxy_set_header Host \$http_host;
			location /two/ { proxy_pass http://two/; }
			location /three/ { proxy_pass http://three/; }
			location / {
				default_type "application/json; charset=utf-8";
				return 404 '{"message":"no Route matched with those values"}';
			}
		}
	}
	END
	node nginx -c "$work/proxy.conf" -p "$work" -e "$work/proxy.log" ||
		die "nginx as a proxy"
}

haproxy_up()
{
	cat >"$work/haproxy.cfg" <<-END
	global
		nbthread $(nproc)
		maxconn 8192
	defaults
		mode http
		timeout connect 5s
		timeout client 60s
		timeout server 60s
		http-reuse always
		backlog 4096
	frontend all
		bind $LISTEN:82
		http-request return status 404 content-type "application/json; charset=utf-8" string '{"message":"no Route matched with those values"}' unless { path_beg /two/ /three/ }
		use_backend two if { path_beg /two/ }
		use_backend three if { path_beg /three/ }
	backend two
		http-request replace-path /two/(.*) '/\\1'
		server pod2 10.77.1.2:1027
	backend three
		http-request replace-path /three/(.*) '/\\1'
		server pod3 10.77.1.3:1027
	END
	background_in "$NODE" haproxy -q -f "$work/haproxy.cfg"
}

# serves PORT: does the proxy on that port pass requests on?
serves()
{
	[ "$(client curl -s -o /dev/null -w '%{http_code}' \
		"http://$LISTEN:$1/three/small")" = 200 ]
}

bench_load()
{
	servers_up
	nginx_up
	haproxy_up
	ok "weir serves" within 5 serves 80
	ok "nginx serves" within 5 serves 81
	ok "haproxy serves" within 5 serves 82
	[ "$failures" = 0 ] || return 1
	# shellcheck disable=SC2086
	client /usr/bin/python3 "$top/tests/bench/load.py" --weir "$LISTEN:80" \
		--nginx "$LISTEN:81" --haproxy "$LISTEN:82" --direct 10.77.1.2:1027 \
		--json "$work/load.json" $load "${only[@]}"
}

bench_rules()
{
	ip -n "$NODE" route add 10.77.1.0/24 dev pod2 src 10.77.1.1
	node /usr/bin/python3 "$top/tests/bench/rules.py" --weir "$WEIR" --work "$work" \
		--pin "$PIN" --rounds "$rounds" --json "$work/rules.json"
}

# Goals in ns; at 100,000 routes, what they may cost more than 10.
bench_steps()
{
	local n

	for n in 10 1000 100000; do
		"$BUILD/bench/steps" "$n" "$work/steps-$n" >"$work/steps.log" 2>&1 ||
			{ cat "$work/steps.log"; return 1; }
	done
	cat "$work"/steps-* | jq -s 'group_by(.step) | map({key: .[0].step, value:
		(map({key: (.routes | tostring), value: .ns}) | from_entries)}) |
		from_entries' >"$work/steps.json"
	jq -r '{"not ours": 45, "spliced": 90, "head of 127 B": 220,
		"browser\u0027s head of 728 B": 420} as $goals |
		def met(ok): if ok then "met" else "NOT MET" end;
		["ns of a run, at routes:", 10, 1000, 100000, "goal"],
		(to_entries[] | .value as $v | [.key, $v["10"], $v["1000"], $v["100000"],
			if $goals[.key] then
				"\($goals[.key]) " + met($v["10"] <= $goals[.key])
			elif .key == "route by host and path" then
				"+130 " + met($v["100000"] <= $v["10"] + 130)
			else "" end]) | @tsv' "$work/steps.json" |
		awk -F '\t' '{ printf "%-32s%10s%10s%10s  %s\n", $1, $2, $3, $4, $5 }'
}

net_up 2 3
for part in $parts; do
	"bench_$part" || failures=$((failures + 1))
done
[ ! -e "$work/proxy.pid" ] || kill "$(cat "$work/proxy.pid")"
for part in $parts; do
	[ ! -e "$work/$part.json" ] || jq "{$part: .}" "$work/$part.json"
done | jq -s add >"$json"
[ "$failures" = 0 ]
