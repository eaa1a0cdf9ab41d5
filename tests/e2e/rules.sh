#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Kinds of rules on the wire: hosts, path types, regular expressions, methods, headers,
# a plugin that answers, and a rule that only a full gateway could honour.
. "$(dirname "$0")/../lib.sh"

# rule NAME HOST PATH TYPE ANNOTATIONS: to the Service of that name.
rule()
{
	cat <<-END
	---
	apiVersion: networking.k8s.io/v1
	kind: Ingress
	metadata:
	  name: $1
	  annotations: {$5}
	spec:
	  ingressClassName: kong
	  rules:
	    - {host: "$2", http: {paths: [{path: "$3", pathType: $4, backend: {service: {name: $1, port: {number: 80}}}}]}}
	END
}

net_up 2 3
echo_pod 2 1001 plain
cat >"$work/many.conf" <<END
worker_processes 1;
user root;
pid $work/pod3/pid;
error_log $work/many.log;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path $work;
	proxy_temp_path $work;
	fastcgi_temp_path $work;
	uwsgi_temp_path $work;
	scgi_temp_path $work;
	default_type text/plain;
	server {
		listen 1002; listen 1003; listen 1004; listen 1005; listen 1006; listen 1007;
		listen 1008 http2;
		large_client_header_buffers 4 64k;
		location / { return 200 "port: \$server_port
target: \$request_uri
"; }
	}
}
END
page=$(seq -s ' ' 800)
mkdir -p "$work/pod3"
pod 3 nginx -c "$work/many.conf" -p "$work" -e "$work/many.log" || die nginx
within 5 listening 3 1007
{
	service plain 80 1001 10.77.1.2
	service exact 80 1002 10.77.1.3
	service wild 80 1003 10.77.1.3
	service regex 80 1004 10.77.1.3
	service method 80 1005 10.77.1.3
	service header 80 1006 10.77.1.3
	service prefix 80 1007 10.77.1.3
	service ended 80 1007 10.77.1.3
	service limited 80 1007 10.77.1.3
	service page 80 1007 10.77.1.3
	rule plain '' / Prefix ''
	rule exact a.example /exact Exact ''
	rule wild '*.example' / Prefix ''
	rule prefix a.example /pre/fix Prefix ''
	rule regex a.example '/~/v\\d+/(users|groups)' ImplementationSpecific \
		'konghq.com/strip-path: "true"'
	rule method '' /method Prefix 'konghq.com/methods: "POST,PUT"'
	rule header '' /header Prefix 'konghq.com/headers.x-colour: "red,green"'
	rule ended '' /ended Prefix 'konghq.com/plugins: stop'
	rule limited '' /limited Prefix 'konghq.com/plugins: rate'
	rule page '' /page Prefix 'konghq.com/plugins: page'
	cat <<-END
	---
	apiVersion: configuration.konghq.com/v1
	kind: KongPlugin
	metadata: {name: stop}
	plugin: request-termination
	config: {status_code: 418, message: "short and stout"}
	---
	apiVersion: configuration.konghq.com/v1
	kind: KongPlugin
	metadata: {name: page}
	plugin: request-termination
	config: {status_code: 503, content_type: text/plain, body: "$page"}
	---
	apiVersion: configuration.konghq.com/v1
	kind: KongPlugin
	metadata: {name: rate}
	plugin: rate-limiting
	config: {minute: 5, policy: local}
	END
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

# to PORT PATH CURL-ARGUMENT...: 0 is the pod of the plainest rule.
to()
{
	local want=$1 answer

	shift
	answer=$(get "$@")
	is "$* goes to $want" "$want" "$(field port <<<"$answer")$(field pod <<<"$answer")"
}

to 1002 /exact -H 'Host: a.example'
to 1002 /exact -H 'Host: A.Example:80'
to 1003 /exact/ -H 'Host: a.example'
to 1003 /exact -H 'Host: b.example'
to plain /exact -H 'Host: c.b.example'
to plain /exact
to 1007 /pre/fix/x -H 'Host: a.example'
to 1007 /pre/fix -H 'Host: a.example'
to 1003 /pre/fixed -H 'Host: a.example'
to 1004 /v12/users/7 -H 'Host: a.example'
to 1003 /v/users/7 -H 'Host: a.example'
is "a regular expression is stripped by what it matched" /7 \
	"$(get /v12/groups/7 -H 'Host: a.example' | field target)"
to 1005 /method/x -X POST
to 1005 /method -X PUT
to plain /method/x
to 1006 /header -H 'X-Colour: green'
to plain /header -H 'X-Colour: blue'
to plain /header
is "a plugin answers" "418 {\"message\":\"short and stout\"}" \
	"$(get /ended -w '%{http_code} ' -o "$work/body"; cat "$work/body")"
is "a long page of the rule's own" "$page" "$(get /page)"
client ip route add "$LISTEN/32" dev eth0 advmss 100
is "the same in segments of 64 bytes" "$page 503" "$(get /page -w ' %{http_code}')"
client ip route del "$LISTEN/32"
is "a rule that needs a gateway is not served without it" 503 "$(status /limited)"
is "every kind on one connection" "200 200 418 503 200 " "$(client curl -s -m 30 \
	-w '%{http_code} ' -o /dev/null "http://$LISTEN/method" \
	-o /dev/null "http://$LISTEN/x" -o /dev/null "http://$LISTEN/ended" \
	-o /dev/null "http://$LISTEN/limited" -o /dev/null "http://$LISTEN/y")"
weir_stop

# With a gateway: untouched, target and all.
weir_start -f "$work/rules.yaml" --gateway 10.77.1.3:1007
is "with a gateway it gets the traffic" "1007 /limited/x" "$(get /limited/x |
	sed 's/^[a-z]*: //' | xargs)"

# What weir cannot read goes there too: a head over 16 KiB, HTTP/2.
big=$(head -c 20000 /dev/zero | tr '\0' x)
is "a head over the limit goes to the gateway" "1007 /big" \
	"$(get /big -H "X-Big: $big" | sed 's/^[a-z]*: //' | xargs)"
weir_stop
weir_start -f "$work/rules.yaml" --gateway 10.77.1.3:1008
is "so does HTTP/2" "1008 /h2 2" "$(get /h2 --http2-prior-knowledge \
	-w '%{http_version}\n' | sed 's/^[a-z]*: //' | xargs)"
