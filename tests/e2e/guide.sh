#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every statement of the guide "a fallback service": one rule with strip-path, 404
# for the rest, then a default backend for the rest.
. "$(dirname "$0")/../lib.sh"

guide=$top/tests/manifests/guide
mkdir "$work/rules"
cp "$guide"/{class,echo,fallback,ingress-demo}.yaml "$work/rules/"
[ -z "${V6:-}" ] || sed -i 's/10\.77\.1\./fd00:77:1::/; s/IPv4/IPv6/' "$work"/rules/*.yaml

net_up 2 3
echo_pod 2
fallback_pod 3
weir_start -f "$work/rules"

# No Ingress but the demo's.
get / -i | tr -d '\r' >"$work/404"
is "no rule: 404" "HTTP/1.1 404 Not Found" "$(head -1 "$work/404")"
sed '1,/^$/d' "$work/404" >"$work/404.body"
is "404: the body" '{"message":"no Route matched with those values"}' \
	"$(cat "$work/404.body")"
is "404: 48 bytes" 48 "$(wc -c <"$work/404.body")"
is "404: the type" "application/json; charset=utf-8" \
	"$(sed -n 's/^content-type: //Ip' "$work/404")"
is "404: the length" 48 "$(sed -n 's/^content-length: //Ip' "$work/404")"
is "404 to HEAD: no body" "404 0" \
	"$(get / -I -o /dev/null -w '%{http_code} %{size_download}')"
is "/ech has no rule" 404 "$(status /ech)"
is "/echo is served" 200 "$(status /echo)"
is "/echo: by the echo pod" pod2 "$(get /echo | field pod)"

# strip-path: the target that the pod sees, all on one connection.
cat >"$work/targets" <<END
/echo /
/echo/ /
/echo/hello /hello
/echo/hello/ /hello/
/echo/a/b?c=d&e=/f /a/b?c=d&e=/f
/echo?x=1 /?x=1
/echofoo /foo
/echo/echo /echo
/echo//x /x
/echo/a%2Fb /a%2Fb
END
mapfile -t urls < <(sed "s,^\([^ ]*\) .*,http://$LISTEN\1," "$work/targets")
client curl -s -m 30 -g --path-as-is "${urls[@]}" | field target >"$work/seen"
is "a target seen for each sent" 10 "$(wc -l <"$work/seen")"
while read -r sent wanted seen; do
	is "$sent is seen as $wanted" "$wanted" "$seen"
done < <(paste -d' ' "$work/targets" "$work/seen")
is "the Host passes as sent" "any.example:8080" \
	"$(get /echo -H 'Host: any.example:8080' | field host)"
is "the method passes" DELETE "$(get /echo -X DELETE | field method)"
is "a body passes" 11 "$(get /echo -d hello=world | field length)"

# The default backend.
before=$(generation)
cp "$guide/ingress-fallback.yaml" "$work/rules/"
ok "the fallback Ingress is followed" within 5 weir_ready "$before"
is "no rule: the fallback service" "$FALLBACK_TEXT" "$(get /)"
is "no rule, any path" "$FALLBACK_TEXT" "$(get /what/ever?x=y)"
is "no rule, any host" "$FALLBACK_TEXT" "$(get /x -H 'Host: some.example')"
is "/echo keeps its pod" pod2 "$(get /echo/x | field pod)"

# One client connection, answers of both.
is "one connection, two services" "/a $FALLBACK_TEXT /b 1" "$(
	client curl -s -m 30 -w '%{num_connects}\n' -o "$work/1" "http://$LISTEN/echo/a" \
		-o "$work/2" "http://$LISTEN/other" -o "$work/3" \
		"http://$LISTEN/echo/b" >"$work/connects"
	echo "$(field target <"$work/1") $(cat "$work/2")" \
		"$(field target <"$work/3") $(awk '{ n += $1 } END { print n }' "$work/connects")")"

# The answer of the kernel goes away with its reason, and comes back with it.
before=$(generation)
rm "$work/rules/ingress-fallback.yaml"
ok "its removal is followed" within 5 weir_ready "$before"
is "without it, 404 again" 404 "$(status /)"
