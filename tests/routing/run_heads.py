#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Streams of bytes asked of `weir explain --raw`: what the RFCs make of a head and
of the end of a body, and where weir is stricter. Then what JSON answers hold.

    run_heads.py [--weir PATH]
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
END = b"\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# Bytes; verdict of the first head with its status or with a target that is not "/";
# for each request the bytes of its head, where it ends, and another verdict.
STREAMS = [
    # RFC 9112, 2.2 and 3
    (GET + END, 'route', '27-27'),
    (b'\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '29-29'),
    (b'\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '31-31'),
    (b'\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\nHost: a\n\n', 'reject 400', '0-'),
    (b'GET /\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'reject 505', '0-'),
    (b'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'reject 505', '0-'),
    (b'GET / HTTP/1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/01.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / http/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTPS/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'get / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '27-27'),
    (b'M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '32-32'),
    (b'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'\x00\x01\x02', 'reject 400', '0-'),
    (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'reject 505', '0-'),
    (b'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'reject 400', '0-'),
    # RFC 9112, 5
    (b'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 'reject 400', '0-'),
    (GET + b'X: b\rc\r\n\r\n', 'reject 400', '0-'),
    (GET + b'X: b\x00c\r\n\r\n', 'reject 400', '0-'),
    (GET + b'X: b\r\n c\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 'reject 400', '0-'),
    (GET + b': b\r\n\r\n', 'reject 400', '0-'),
    (GET + b'foo\r\n\r\n', 'reject 400', '0-'),
    (GET + b'X: \xe9\r\n\r\n', 'route', '33-33'),
    (GET + b'X:\tb\tc\t\r\n\r\n', 'route', '36-36'),
    (GET + b'X: \x7f\r\n\r\n', 'reject 400', '0-'),
    (GET + b'X(: b\r\n\r\n', 'reject 400', '0-'),
    (GET + b'X\xe9: b\r\n\r\n', 'reject 400', '0-'),
    # RFC 9112, 3.2; RFC 9110, 7.2
    (b'GET / HTTP/1.1\r\nX: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.0\r\n\r\n', 'route', '18-18'),
    (b'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.0\r\nHost:\r\n\r\n', 'reject 400', '0-'),
    (GET + b'Host: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: a,b\r\n\r\n', 'route', '29-29'),
    (b'GET / HTTP/1.1\r\nHost: a_b\r\n\r\n', 'route', '29-29'),
    (b'GET / HTTP/1.1\r\nHost: a%20b\r\n\r\n', 'route', '31-31'),
    (b'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n', 'route', '36-36'),
    (b'GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: a:\r\n\r\n', 'route', '28-28'),
    (b'GET / HTTP/1.1\r\nHost: a:0\r\n\r\n', 'route', '29-29'),
    (b'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: a..b\r\n\r\n', 'reject 400', '0-'),
    (b'GET / HTTP/1.1\r\nHost: .a\r\n\r\n', 'route', '28-28'),
    (b'GET / HTTP/1.1\r\nHost: a.\r\n\r\n', 'route', '28-28'),
    (b'GET / HTTP/1.1\r\nHost: .\r\n\r\n', 'reject 400', '0-'),
    # RFC 9112, 3.2.2 to 3.2.4
    (b'GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '36-36'),
    (b'GET http://a HTTP/1.1\r\nHost: a\r\n\r\n', 'route', '34-34'),
    (b'GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /?x', '36-36'),
    (b'GET http://u:p@a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET http://a:80/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '39-39'),
    (b'GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '37-37'),
    (b'GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET HTTP://A/x HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x', '36-36'),
    (b'GET http://a/x HTTP/1.0\r\n\r\n', 'reject 400', '0-'),
    (b'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET http://[::1]/x HTTP/1.1\r\nHost: [::1]\r\n\r\n', 'route /x', '44-44'),
    (b'GET http://a/x#y HTTP/1.1\r\nHost: a\r\n\r\n', 'route /x#y', '38-38'),
    (b'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET foo HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET ?x HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    # RFC 3986, 2 and 3.3
    (b'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 'route /a#b', '30-30'),
    (b'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '30-30'),
    (b'GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '29-29'),
    (b'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '30-30'),
    (b'GET /?%zz HTTP/1.1\r\nHost: a\r\n\r\n', 'route /?%zz', '31-31'),
    (b'GET /.. HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '29-29'),
    (b'GET /a/%2e./../b HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '38-38'),
    (b'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 'route /\\ufffd', '28-28'),
    (b'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n', 'route /a\\b', '30-30'),
    (b'GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n', 'reject 400', '0-'),
    (b'GET /a"<>^`{|} HTTP/1.1\r\nHost: a\r\n\r\n', 'route /a"<>^`{|}', '36-36'),
    # RFC 9110, 8.6; RFC 9112, 6.3
    (POST + b'Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '47-50 27-77'),
    (POST + b'Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
     'route', '66-69'),
    (POST + b'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
     'reject 400', '0-'),
    (POST + b'Content-Length: 3, 3\r\n\r\nabc', 'route', '50-53'),
    (POST + b'Content-Length: +3\r\n\r\nabc', 'reject 400', '0-'),
    (POST + b'Content-Length: -3\r\n\r\nabc', 'reject 400', '0-'),
    (POST + b'Content-Length: 0x3\r\n\r\nabc', 'reject 400', '0-'),
    (POST + b'Content-Length:\r\n\r\nabc', 'reject 400', '0-'),
    (POST + b'Content-Length: 3 4\r\n\r\nabc', 'reject 400', '0-'),
    (POST + b'Content-Length: 99999999999999999999\r\n\r\nabc',
     'reject 400', '0-'),
    (POST + b'Content-Length: 003\r\n\r\nabc', 'route', '49-52'),
    (POST + b'Content-Length: \x0b3\r\n\r\nabc',
     'reject 400', '0-'),
    (POST + b'Expect: 100-continue\r\nContent-Length: 3\r\n\r\n',
     'route', '69-'),
    (GET + b'Content-Length: 3\r\n\r\nabc', 'route', '46-49'),
    (POST + b'Content-Length: 3 \r\n\r\nabc', 'route', '48-51'),
    # RFC 9112, 6.1
    (POST + b'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (CHUNKED + b'3\r\nabc\r\n0\r\n\r\n',
     'route', '56-69'),
    (POST + b'Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n',
     'route', '56-61'),
    (POST + b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer-Encoding: identity\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer-Encoding:\r\n\r\n', 'reject 400', '0-'),
    (POST + b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (b'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
     'reject 400', '0-'),
    (POST + b'Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc',
     'route', '75-78'),
    # RFC 9112, 7.1
    (CHUNKED + b'3;a=b\r\nabc\r\n0\r\n\r\n',
     'route', '56-73'),
    (CHUNKED + b'3 ; a = b\r\nabc\r\n0\r\n\r\n',
     'route', '56-77'),
    (CHUNKED + b'3 \r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b' 3\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'3;a="b;\\""\r\nabc\r\n0\r\n\r\n',
     'route', '56-78'),
    (CHUNKED + b'3;a=\x01\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'3;a\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'3\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'0x3\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'-3\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'3\r\nabcd\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'3\r\nabc\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'A\r\n0123456789\r\n0\r\n\r\n',
     'route', '56-76'),
    (CHUNKED + b'0000000000000000003\r\nabc\r\n0\r\n\r\n',
     'route', '56-87'),
    (CHUNKED + b'ffffffffffffffffff\r\nabc\r\n0\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'0\r\nX: y\r\n\r\n',
     'route', '56-67'),
    (CHUNKED + b'0\r\nX: y\r\n z\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'0\r\nXy\r\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'0\r\nX: y\n\r\n',
     'route', '56-:reject'),
    (CHUNKED + b'0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '56-61 28-89'),
    (CHUNKED + b'5\r\nab',
     'route', '56-'),
    (CHUNKED + b'00\r\n\r\n',
     'route', '56-62'),
    # RFC 9112, 9.3 and 9.6
    (GET + b'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81',
     'route', '68-'),
    (GET + b'Connection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '46-46 27-73'),
    (GET + b'\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
     'route', '27-27 29-56'),
    (GET + b'\r\ngarbage', 'route', '27-27 0-:incomplete'),
    (b'', 'incomplete', ''),
    (b'GET / HT', 'incomplete', '0-'),
    (b'GET / HTTQ', 'incomplete', '0-'),
]

RULES = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: all, annotations: {konghq.com/protocols: PROTOCOLS}}
spec:
  ingressClassName: kong
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: &s {service: {name: s, port: {number: 80}}}}]}
  - host: b
    http: {paths: [{path: /, pathType: Prefix, backend: *s}]}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {ports: [{port: 80}]}
"""


def explain(weir, args, data, protocols="http"):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(RULES.replace("PROTOCOLS", protocols))
        f.flush()
        run = subprocess.run(
            [weir, "-q", "-o", "json", "explain", "-f", f.name,
             "--endpoint", "default/s=192.0.2.1:80"] + args,
            input=data, capture_output=True, check=False)
    if run.returncode:
        return {"failed": run.stderr.decode()}
    return json.loads(run.stdout)


def verdict_of(answer):
    out = answer["verdict"]
    if "status" in answer:
        out += " %d" % answer["status"]
    if answer.get("target", "/") != "/":
        out += " " + answer["target"].encode("ascii", "backslashreplace").decode()
    return out


def stream_of(answer):
    out = []
    for s in answer["stream"]:
        piece = "%d-%s" % (s["head_bytes"] or 0, "" if s["end"] is None else s["end"])
        out.append(piece + ("" if s["verdict"] == answer["verdict"]
                            else ":" + s["verdict"]))
    return " ".join(out)


def hello(name, protocols, piece):
    """A ClientHello in records of `piece` bytes."""
    def vector(size, data):
        return struct.pack(">I", len(data))[4 - size:] + data

    sni = vector(2, vector(2, b"\0" + vector(2, name)))
    alpn = vector(2, vector(2, b"".join(vector(1, p) for p in protocols)))
    body = (b"\3\3" + bytes(32) + vector(1, b"") + vector(2, b"\x13\1") + vector(1, b"\0")
            + vector(2, b"\0\0" + sni + b"\0\x10" + alpn))
    message = b"\1" + vector(3, body)
    return b"".join(b"\x16\3\1" + vector(2, message[i:i + piece])
                    for i in range(0, len(message), piece))


def answers(weir):
    """(what, answer, parts of it that must be there)"""
    raw = ["--raw", "-"]
    yield ("a whole head", explain(weir, raw, b"\r\nPUT http://B:81/x?y HTTP/1.1\r\n"
                                   b"Host: b.:81\r\nContent-Length: 2\r\n\r\nab"),
           {"verdict": "route", "target": "/x?y", "ingress": "default/all",
            "rule": {"host": "b", "path": "/", "pathType": "Prefix"},
            "backend": "default/s:80",
            "http": {"method": "PUT", "target": "http://B:81/x?y", "host": "b", "port": 81,
                     "version": "1.1", "content_length": 2, "chunked": False,
                     "keep_alive": True, "upgrade": False, "head_bytes": 66},
            "stream": [{"offset": 0, "head_bytes": 66, "end": 68, "verdict": "route"}]})
    nothing = {"host": None, "port": None, "content_length": None, "chunked": False,
               "keep_alive": None, "upgrade": False, "head_bytes": None}
    yield ("a refused head, as far as it was read",
           explain(weir, raw, b"PUT /x HTTP/1.1\r\nContent-Length: 7\r\nHost : a\r\n\r\n"),
           {"verdict": "reject", "status": 400,
            "http": dict(nothing, method="PUT", target="/x", version="1.1",
                         content_length=7)})
    yield ("another version", explain(weir, raw, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
           {"verdict": "reject", "status": 505,
            "http": dict(nothing, method="PRI", target="*", version="2.0")})
    yield ("a head that goes on", explain(weir, raw, b"GET /x"),
           {"verdict": "incomplete",
            "http": dict(nothing, method="GET", target=None, version=None)})
    batch = ["--batch"]
    yield ("a refused head of --batch",
           explain(weir, batch, b'{"id":7,"target":"/%zz","host":"B:5"}'),
           {"id": 7, "verdict": "reject", "status": 400,
            "http": {"method": "GET", "target": "/%zz", "host": "b", "port": 5,
                     "version": "1.1", "content_length": None, "chunked": False,
                     "keep_alive": True, "upgrade": False, "head_bytes": 32}})
    yield ("https only, plain", explain(weir, batch, b'{"target":"/","host":"b"}', "https"),
           {"verdict": "reply", "status": 426, "ingress": "default/all"})
    yield ("https only, over TLS",
           explain(weir, batch, b'{"target":"/","host":"b","scheme":"https"}', "https"),
           {"verdict": "route", "ingress": "default/all", "target": "/"})
    yield ("the next rule", explain(weir, ["GET", "http://b/x"], b""),
           {"verdict": "route", "rule": {"host": "b", "path": "/", "pathType": "Prefix"},
            "next": {"ingress": "default/all", "backend": "default/s:80",
                     "rule": {"host": "", "path": "/", "pathType": "Prefix"},
                     "why": "a plain host, then a wildcard, then none"}})
    bytes_ = hello(b"Foo.Example.", [b"h2", b"http/1.1"], 7)
    yield ("a ClientHello in pieces", explain(weir, raw, bytes_),
           {"verdict": "reject", "tls": {"sni": "foo.example", "alpn": ["h2", "http/1.1"]}})
    yield ("with a gateway", explain(weir, raw + ["--gateway", "192.0.2.9:443"], bytes_),
           {"verdict": "gateway"})
    yield ("a part of it", explain(weir, raw, bytes_[:-1]), {"verdict": "incomplete"})
    yield ("as HTTP", explain(weir, raw + ["--listener", "http"], bytes_),
           {"verdict": "reject", "status": 400})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=os.path.join(HERE, "../../build/weir"))
    weir = parser.parse_args().weir
    failed = 0
    for data, verdict, stream in STREAMS:
        answer = explain(weir, ["--raw", "-"], data)
        got = (verdict_of(answer), stream_of(answer)) if "verdict" in answer else answer
        if got != (verdict, stream):
            failed += 1
            print("FAIL %r: %r, not %r" % (data, got, (verdict, stream)))
    for what, answer, want in answers(weir):
        wrong = {k: answer.get(k) for k, v in want.items() if answer.get(k) != v}
        failed += bool(wrong)
        print("%s %s" % ("FAIL" if wrong else "PASS", what))
        if wrong:
            print("    %r in %r" % (wrong, answer))
    print("%s %d streams as the RFCs have them" % ("FAIL" if failed else "PASS", len(STREAMS)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
