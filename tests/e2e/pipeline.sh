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
# SEPARATE=1, in one each; with SEPARATE=body they are POSTs, and each write but the first
# ends with the next one's head. Prints "pod target" of every answer in the order it came,
# with the length of the request's body if it had one.
cat >"$work/burst.py" <<'END'
import http.client
import socket
import sys

separate, targets = sys.argv[2], sys.argv[3:]
s = socket.create_connection((sys.argv[1], 80), timeout=30)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if separate == "body":
    heads = [f"POST {t} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n" for t in targets]
    parts = [(("123456789" if i else "") + h).encode() for i, h in enumerate(heads)]
    parts.append(b"123456789")
else:
    parts = [f"GET {t} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for t in targets]
    if separate == "0":
        parts = [b"".join(parts)]
for part in parts:
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
    print(told.get("pod", answer.status), told.get("target", ""), told.get("length", ""))
END

burst()
{
	client python3 "$work/burst.py" "$LISTEN" "$@" | xargs
}

# How often a client's retransmission timer has run out so far (RFC 6298).
timeouts()
{
	client nstat -asz TcpExtTCPTimeouts | awk '/TCPTimeouts/ { print $2 }'
}

is "ten in one segment" "$(for i in {0..9}; do echo "pod2 /$i"; done | xargs)" \
	"$(burst 0 /two/{0..9})"
is "they went on together" 0 "$(counter req_split)"
is "ten in segments of their own" "$(for i in {0..9}; do echo "pod2 /$i"; done | xargs)" \
	"$(burst 1 /two/{0..9})"
before=$(timeouts)
is "to one Service, then to another" "pod2 /a pod2 /b pod3 /c pod3 /d" \
	"$(burst 0 /two/a /two/b /three/c /three/d)"
for separate in 0 1; do
	is "forth and back between two Services, 12 times ($separate)" \
		"$(for i in {1..12}; do echo "pod2 /$i pod3 /$i"; done | xargs)" \
		"$(burst $separate $(for i in {1..12}; do echo /two/$i /three/$i; done))"
	is "40 at once ($separate)" "$(for i in {1..40}; do echo "pod2 /$i"; done | xargs)" \
		"$(burst $separate $(for i in {1..40}; do echo /two/$i; done))"
done
is "bodies in the next segment" "pod2 /a 9 pod2 /b 9 pod2 /c 9" \
	"$(burst body /two/a /two/b /two/c)"
is "the same to two Services" "pod2 /a 9 pod3 /b 9 pod2 /c 9" \
	"$(burst body /two/a /three/b /two/c)"
ok "no timer of a client's was needed" test $(($(timeouts) - before)) -lt 5
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
