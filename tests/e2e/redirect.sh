#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rules for https only: plain requests are told where to go, by the kernel.
. "$(dirname "$0")/../lib.sh"

net_up 2
echo_pod 2

# redirecting NAME ANNOTATIONS: an Ingress for /NAME
redirecting()
{
	cat <<-END
	---
	apiVersion: networking.k8s.io/v1
	kind: Ingress
	metadata:
	  name: to-$1
	  annotations: {$2}
	spec:
	  ingressClassName: kong
	  rules:
	  - http:
	      paths:
	      - path: /$1
	        pathType: Prefix
	        backend: {service: {name: echo, port: {number: 80}}}
	END
}

code='konghq.com/protocols: https, konghq.com/https-redirect-status-code:'
{
	service echo 80 1027 10.77.1.2
	ingress echo '' / Prefix echo 80
	for n in 301 302 307 308; do
		redirecting "$n" "$code \"$n\""
	done
	redirecting force 'ingress.kubernetes.io/force-ssl-redirect: "true"'
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

# told PATH [CURL ARGUMENT...]: the whole answer on one line
told()
{
	get "$@" -i | tr -d '\r' | paste -sd '|'
}

# answer "STATUS REASON" HOST TARGET
answer()
{
	echo "HTTP/1.1 $1|Location: https://$2$3|Content-Length: 0|Connection: close|"
}

is "301" "$(answer '301 Moved Permanently' "$LISTEN" '/301/x?a=1&b=%20')" \
	"$(told '/301/x?a=1&b=%20')"
is "302" "$(answer '302 Found' a.example /302)" "$(told /302 -H 'Host: a.example')"
is "307" "$(answer '307 Temporary Redirect' a.example /307)" \
	"$(told /307 -H 'Host: a.example:8080')"
is "308 for a POST" "$(answer '308 Permanent Redirect' "$LISTEN" /308)" \
	"$(told /308 -d 0123456789)"
is "force-ssl-redirect" "$(answer '302 Found' "$LISTEN" /force/)" "$(told /force/)"
is "HEAD" "$(answer '301 Moved Permanently' "$LISTEN" /301)" \
	"$(get /301 -I | tr -d '\r' | paste -sd '|')"
is "the body of a large POST is drained" 308 \
	"$(head -c 300000 /dev/zero | status /308 -H Expect: --data-binary @-)"
long=$(printf '%01300d' 0)
is "too long for a segment" 431 "$(status "/301?$long")"
is "nobody to name" 400 "$(status /301 -0 -H Host:)"
is "other rules serve as before" pod2 "$(get /x | field pod)"
is "also on a connection that stays" "200 301 200" "$(get /x -o /dev/null \
	-o /dev/null -o /dev/null -w '%{http_code} ' "http://$LISTEN/y" \
	"http://$LISTEN/301" | xargs)"
ok "many of them leave no buffer behind" client /usr/bin/python3 -c '
import http.client
for i in range(3000):
    c = http.client.HTTPConnection("10.77.0.1", timeout=5)
    c.request("GET", "/301/%d" % i)
    r = c.getresponse()
    assert r.status == 301, r.status
    assert r.headers["Location"] == "https://10.77.0.1/301/%d" % i
    c.close()
'
