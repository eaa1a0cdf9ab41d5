#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""heads.py ADDRESS PORT [WORDS]: request heads as no well-behaved client sends them.

/echo/... leads to the echo pod with strip-path, /origin/... to origin.py with
strip-path, everything else has no rule. WORDS: only cases with these in their name.
"""
import sys

from http1 import Connection, get, result
import http1

WHERE = (sys.argv[1], int(sys.argv[2]))
LIMIT = 16384


def case(what):
    """Run the function at once; an exception is a failure."""

    def run(fn):
        if len(sys.argv) > 3 and sys.argv[3] not in what:
            return
        try:
            good, detail = fn()
            result(what, good, detail)
        except Exception as e:  # whatever it is, the test has failed
            result(what, False, repr(e))

    return run


def ask(*pieces, method="GET"):
    with Connection(WHERE) as c:
        return c.send(*pieces).answer(method)


def seen(answer, target):
    return (answer.status == 200 and answer.field("target") == target, answer)


@case("a head byte by byte")
def _():
    head = get("/echo/byte?by=byte", "X-Some: thing")
    return seen(ask(*[head[i : i + 1] for i in range(len(head))]), "/byte?by=byte")


@case("a head cut in two at every place")
def _():
    head = get("/echo/cut", "Accept: */*")
    for k in range(1, len(head)):
        a = ask(head[:k], head[k:])
        if not seen(a, "/cut")[0]:
            return False, f"at {k}: {a}"
    return True, ""


@case("a head in segments of 7 bytes")
def _():
    head = get("/echo/seven", *[f"X-{i}: {'v' * i}" for i in range(20)])
    return seen(ask(*[head[i : i + 7] for i in range(0, len(head), 7)]), "/seven")


@case("empty lines before the request line")
def _():
    return seen(ask(b"\r\n\r\n" + get("/echo/crlf")), "/crlf")


for size in (2000, 8000, 15000, LIMIT - 1, LIMIT):

    @case(f"a head of {size} bytes")
    def _():
        bare = len(get("/echo/long", "X-Fill: "))
        head = get("/echo/long", "X-Fill: " + "f" * (size - bare))
        assert len(head) == size
        return seen(ask(head), "/long")


for size in (LIMIT + 1, LIMIT + 3000, 60000):

    @case(f"a head of {size} bytes: 431 and the end")
    def _():
        bare = len(get("/echo/long", "X-Fill: "))
        with Connection(WHERE) as c:
            a = c.send(get("/echo/long", "X-Fill: " + "f" * (size - bare))).answer()
            return a.status == 431 and c.at_end(), a


for what, head in {
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
    "no Host": get("/echo/x", host=None),
    "two Hosts": get("/echo/x", "Host: b.example"),
    "two lengths": get("/echo/x", "Content-Length: 1", "Content-Length: 2") + b"x",
    "a negative length": get("/echo/x", "Content-Length: -1"),
    "chunked and a length": get(
        "/echo/x", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST"
    ),
    "a bad escape": get("/echo/%zz"),
    "an escaped NUL": get("/echo/%00"),
    "a climb above the root": get("/../echo"),
    "no HTTP at all": b"\x00\x01\x02\x03 nothing of it\r\n\r\n",
    "another greeting": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}.items():

    @case(f"{what}: 400 and the end")
    def _():
        with Connection(WHERE) as c:
            a = c.send(head).answer()
            return a.status == 400 and c.at_end(), a


@case("an HTTP/2 preface: 505 and the end")
def _():
    with Connection(WHERE) as c:
        a = c.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").answer()
        return a.status == 505 and c.at_end(), a


@case("HTTP/1.0 without Host")
def _():
    with Connection(WHERE) as c:
        a = c.send(get("/echo/old", host=None, version="1.0")).answer()
        return a.field("target") == "/old" and c.at_end(), a


@case("an absolute target goes on in origin form")
def _():
    return seen(ask(get("http://test.example/echo/abs?q=1")), "/abs?q=1")


for sent, want in {
    "/echo/a/./b/../c": "/a/c",
    "/a/../echo/dots": "/dots",
    "//echo///slashes": "/slashes",
    "/%65cho/escaped": "/escaped",
    "/echo/%7Etilde": "/~tilde",
}.items():

    @case(f"{sent} is seen as {want}")
    def _():
        return seen(ask(get(sent)), want)


@case("three requests in one segment, one service")
def _():
    with Connection(WHERE) as c:
        c.send(get("/echo/1") + get("/echo/2") + get("/echo/3"))
        found = [c.answer().field("target") for _ in range(3)]
        return found == ["/1", "/2", "/3"], found


@case("requests in one segment, alternating services")
def _():
    with Connection(WHERE) as c:
        c.send(get("/echo/1") + get("/origin/2") + get("/echo/3") + get("/origin/4"))
        found = [c.answer().field("target") for _ in range(4)]
        return found == ["/1", "/2", "/3", "/4"], found


@case("a request without a rule behind one with, in one segment")
def _():
    with Connection(WHERE) as c:
        c.send(get("/echo/1") + get("/none"))
        found = [c.answer().status for _ in range(2)]
        return found == [200, 404], found


@case("100 requests on one connection, alternating services")
def _():
    with Connection(WHERE) as c:
        for i in range(100):
            a = c.send(get(f"/{'echo' if i % 2 else 'origin'}/{i}")).answer()
            if a.field("target") != f"/{i}":
                return False, f"{i}: {a}"
        return True, ""


@case("404 in the middle of a connection, which goes on")
def _():
    with Connection(WHERE) as c:
        found = []
        for target in ("/echo/1", "/none", "/none", "/origin/2", "/none", "/echo/3"):
            found.append(c.send(get(target)).answer().status)
        return found == [200, 404, 404, 200, 404, 200], found


@case("HEAD without a rule: 404, no body, and the connection goes on")
def _():
    with Connection(WHERE) as c:
        a = c.send(get("/none", method="HEAD")).answer("HEAD")
        b = c.send(get("/echo/after")).answer()
        return (a.status, b.field("target")) == (404, "/after"), (a, b)


@case("a body in pieces behind the head")
def _():
    head = get("/origin/post", "Content-Length: 3000", method="POST")
    a = ask(head + b"a" * 10, *[b"b" * 299] * 10)
    return (a.field("target"), a.field("length")) == ("/post", "3000"), a


@case("a chunked body, then another service")
def _():
    with Connection(WHERE) as c:
        head = get("/origin/chunks", "Transfer-Encoding: chunked", method="POST")
        c.send(head, b"5\r\nhel", b"lo\r", b"\n6;x=y\r\n world\r\n0\r\n\r", b"\n")
        a = c.answer()
        b = c.send(get("/echo/next")).answer()
        return (a.field("length"), b.field("target")) == ("11", "/next"), (a, b)


@case("a chunked body and the next request in one segment")
def _():
    with Connection(WHERE) as c:
        head = get("/origin/chunks", "Transfer-Encoding: chunked", method="POST")
        c.send(head + b"5\r\nhello\r\n0\r\n\r\n" + get("/origin/next"))
        found = [c.answer().field("target") for _ in range(2)]
        return found == ["/chunks", "/next"], found


@case("chunked answers, 204, 304 and 103 keep the order")
def _():
    with Connection(WHERE) as c:
        found = []
        for target in ("chunked/100000", "no-content", "not-modified", "early", "size/5"):
            found.append(c.send(get(f"/origin/{target}")).answer().status)
            found.append(c.send(get("/echo/between")).answer().status)
        want = [200, 200, 204, 200, 304, 200, 200, 200, 200, 200]
        return found == want, found


@case("an answer that ends with the connection")
def _():
    with Connection(WHERE) as c:
        a = c.send(get("/origin/until-close")).answer()
        return a.body == b"until the end\n", a


@case("the client's FIN with its request: the whole answer comes")
def _():
    with Connection(WHERE) as c:
        c.send(get("/origin/size/300000"))
        c.s.shutdown(1)
        a = c.answer()
        return len(a.body) == 300000 and c.at_end(), len(a.body)


@case("connect and close without a word")
def _():
    with Connection(WHERE) as c:
        c.s.shutdown(1)
        return c.at_end(), "not closed"


@case("half a head, then FIN: no hang")
def _():
    with Connection(WHERE) as c:
        c.send(b"GET /echo/x HT")
        c.s.shutdown(1)
        data = b""
        while c.more():
            data = c.data
        return not data or data.startswith(b"HTTP/1.1 400"), data


@case("Upgrade: bytes pass both ways")
def _():
    with Connection(WHERE) as c:
        head = get("/origin/upgrade", "Connection: upgrade", "Upgrade: shout")
        a = c.send(head).answer()
        c.send(b"get / http/1.1\r\n\r\n")
        back = c.exactly(18)
        return a.status == 101 and back == b"GET / HTTP/1.1\r\n\r\n", (a, back)


@case("404 while a body of 3 MB is coming: the answer is read")
def _():
    with Connection(WHERE) as c:
        size = 3 << 20
        c.send(get("/none", f"Content-Length: {size}", method="POST"))
        try:
            c.send(b"x" * size)
        except (BrokenPipeError, ConnectionResetError):
            return False, "reset while sending"
        a = c.answer()
        return a.status == 404, a


@case("a pod that resets: the client sees the end")
def _():
    with Connection(WHERE) as c:
        try:
            a = c.send(get("/origin/reset")).answer()
            return a.status == 502, a
        except (ConnectionResetError, EOFError):
            return True, ""


sys.exit(http1.failed != 0)
