#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/bench.sh [--rounds N] [--seconds N] [--connections N] [--only NAME]...
#
# Load against one pod: through weir, through nginx as a proxy on the node, and
# directly (routed by the node, no proxy at all). The three take turns within each
# round; what counts are the ratios within a round. Everything runs on this machine,
# client and pod included. Text on stdout, JSON in $BUILD/bench.json.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
mkdir -p "$work/files/size"
truncate -s 256M "$work/files/size/bulk"
echo_pod 2
echo_pod 3
{
	service two 80 1027 10.77.1.2
	service three 80 1027 10.77.1.3
	ingress two '' /two Prefix two 80 true
	ingress three '' /three Prefix three 80 true
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

cat >"$work/proxy.conf" <<END
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
	upstream two { server 10.77.1.2:1027; keepalive 64; }
	upstream three { server 10.77.1.3:1027; keepalive 64; }
	server {
		listen $LISTEN:81 reuseport backlog=4096;
		proxy_http_version 1.1;
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
node nginx -c "$work/proxy.conf" -p "$work" -e "$work/proxy.log" || die "nginx as a proxy"
is "weir serves" 200 "$(status /two/small)"
is "nginx serves" 200 "$(client curl -s -o /dev/null -w '%{http_code}' \
	"http://$LISTEN:81/two/small")"
[ "$failures" = 0 ] || exit 1
nsenter --net="/run/netns/$CLIENT" /usr/bin/python3 "$top/tests/bench/load.py" \
	--weir "$LISTEN:80" --nginx "$LISTEN:81" --direct 10.77.1.2:1027 \
	--json "$BUILD/bench.json" "$@"
r=$?
kill "$(cat "$work/proxy.pid")"
exit $r
