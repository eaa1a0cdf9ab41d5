#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Thousands of connections to one endpoint stay open while others come and go: none
# fails for want of a source port. With CROWD="20000 13000" the ports go once around
# past those that are taken (a minute on a busy machine; prog/connect ports_side_by_side
# is the short form).
. "$(dirname "$0")/../lib.sh"

read -r KEPT MORE <<<"${CROWD:-4000 1000}"

net_up 2
mkdir "$work/nginx"
cat >"$work/nginx/conf" <<-END
	worker_processes 2;
	worker_rlimit_nofile 20000;
	user root;
	pid $work/nginx/pid;
	error_log $work/nginx/error.log;
	events { worker_connections 19000; }
	http {
		access_log off;
		keepalive_timeout 600;
		server {
			listen 1027 reuseport backlog=4096;
			location / { return 200 "ok\n"; }
		}
	}
END
background_in "$(pod_ns 2)" nginx -c "$work/nginx/conf" -p "$work/nginx" \
	-e "$work/nginx/error.log" -g 'daemon off;'
within 5 listening 2 1027 || die "nginx does not listen"
{
	service web 80 1027 10.77.1.2
	ingress web '' / Prefix web 80
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

client sysctl -q -w net.ipv4.ip_local_port_range="1025 65535" net.ipv4.tcp_tw_reuse=1
is "kept, passing, and the kept ones again" "$KEPT $MORE $KEPT" \
	"$(client timeout 120 python3 "$(dirname "$0")/../tools/crowd.py" "$LISTEN" $KEPT $MORE)"
is "no source port was wanting" 0 "$(counter no_port)"
is "every connection was accepted at once" "$((KEPT + MORE))" "$(counter connected)"
