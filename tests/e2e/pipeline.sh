#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clients that do not wait for an answer before the next request (RFC 9112, 9.3.2):
# many requests in one segment, and in segments that follow one another at once.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
echo_pod 3
two_and_three >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"

# burst SEPARATE TARGET...: requests for these on one connection, in one write or, with
# SEPARATE=1, in one each. Prints "pod target" of every answer in the order it came.
cat >"$work/burst.py" <<'END'
import http.client
import socket
import sys

separate, targets = sys.argv[2] == "1", sys.argv[3:]
s = socket.create_connection((sys.argv[1], 80), timeout=30)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
requests = [f"GET {t} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for t in targets]
for part in requests if separate else [b"".join(requests)]:
    s.sendall(part)
stream = s.makefile("rb")


class One:
    def makefile(self, mode):
        return stream


for _ in targets:
    answer = http.client.HTTPResponse(One())
    stream_close, answer._close_conn = answer._close_conn, lambda: None
    answer.begin()
    body = answer.read(int(answer.getheader("Content-Length"))).decode()
    told = dict(l.split(": ", 1) for l in body.splitlines() if ": " in l)
    print(told.get("pod", answer.status), told.get("target", ""))
END

burst()
{
	client python3 "$work/burst.py" "$LISTEN" "$@" | xargs
}

is "ten in one segment" "$(for i in {0..9}; do echo "pod2 /$i"; done | xargs)" \
	"$(burst 0 /two/{0..9})"
is "they went on together" 0 "$(counter req_split)"
is "ten in segments of their own" "$(for i in {0..9}; do echo "pod2 /$i"; done | xargs)" \
	"$(burst 1 /two/{0..9})"
is "to one Service, then to another" "pod2 /a pod2 /b pod3 /c pod3 /d" \
	"$(burst 0 /two/a /two/b /three/c /three/d)"
is "answers of the kernel's own keep their place" "pod2 /a 404 pod2 /b" \
	"$(burst 0 /two/a /none /two/b)"

for depth in 8 16; do
	cat >"$work/pipeline.lua" <<-END
	local all = {}
	function init()
		for i = 1, $depth do all[i] = wrk.format("GET", "/two/small") end
		all = table.concat(all)
	end
	function request() return all end
	END
	before=$(counter req_split)
	out=$(client wrk -t1 -c4 -d1s -s "$work/pipeline.lua" "http://$LISTEN/")
	ok "wrk, $depth at once: thousands of answers" \
		test "$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' <<<"$out")" -gt 1000
	is "wrk, $depth at once: no error" "" "$(grep -E 'Socket errors|Non-2xx' <<<"$out")"
	is "wrk, $depth at once: none comes again" "$before" "$(counter req_split)"
done
