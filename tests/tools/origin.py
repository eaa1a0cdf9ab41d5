#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""origin.py PORT NAME: an HTTP/1.1 server that does what a test asks for.

A request with a body is answered with the body's length and MD5. By target:
	/chunked/N	N bytes in chunks of odd sizes
	/size/N		N bytes with Content-Length
	/close		Connection: close
	/until-close	a body that ends with the connection
	/no-content	204
	/not-modified	304 with a Content-Length, which has no body
	/early		103 Early Hints first
	/upgrade	101, then every byte comes back in upper case
	/reset		the connection is reset instead
Anything else is told back in plain text, as the echo pods do.
"""
import hashlib
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = bytes(range(251)) * 300


def pattern(size):
    """SIZE bytes that repeat with a period no segment size divides."""
    while size > 0:
        yield PIECE[: min(size, len(PIECE))]
        size -= len(PIECE)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def log_message(self, *args):
        pass

    def body(self):
        """Read the request's body; its length and MD5."""
        md5, size = hashlib.md5(), 0
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while True:
                left = int(self.rfile.readline().split(b";")[0], 16)
                if not left:
                    break
                size += left
                while left:
                    data = self.rfile.read(min(left, 1 << 20))
                    md5.update(data)
                    left -= len(data)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            left = size = int(self.headers.get("Content-Length", 0))
            while left:
                data = self.rfile.read(min(left, 1 << 20))
                if not data:
                    raise ConnectionError("body cut")
                md5.update(data)
                left -= len(data)
        return size, md5.hexdigest()

    def text(self, size, digest):
        return (
            f"pod: {sys.argv[2]}\nmethod: {self.command}\ntarget: {self.path}\n"
            f"host: {self.headers.get('Host', '')}\nlength: {size}\nmd5: {digest}\n"
        ).encode()

    def reply(self, status, data=None, fields=()):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if data is not None:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if data and self.command != "HEAD":
            self.wfile.write(data)

    def answer(self):
        size, digest = self.body()
        path = self.path.split("?")[0]
        kind, _, count = path[1:].partition("/")
        if kind == "chunked":
            self.reply(200, fields=[("Transfer-Encoding", "chunked")])
            left, step = int(count), 1
            while left > 0:
                n = min(left, step)
                self.wfile.write(b"%x\r\n" % n + PIECE[:n] + b"\r\n")
                left -= n
                step = step * 3 % 40009 + 1
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "size":
            self.send_response(200)
            self.send_header("Content-Length", count)
            self.end_headers()
            if self.command != "HEAD":
                for piece in pattern(int(count)):
                    self.wfile.write(piece)
        elif kind == "close":
            self.close_connection = True
            self.reply(200, self.text(size, digest), [("Connection", "close")])
        elif kind == "until-close":
            self.close_connection = True
            self.reply(200, fields=[("Connection", "close")])
            self.wfile.write(b"until the end\n")
        elif kind == "no-content":
            self.reply(204)
        elif kind == "not-modified":
            self.reply(304, fields=[("Content-Length", "1000")])
        elif kind == "early":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            self.reply(200, self.text(size, digest))
        elif kind == "upgrade":
            self.reply(101, fields=[("Connection", "upgrade"), ("Upgrade", "shout")])
            self.wfile.flush()
            self.close_connection = True
            while True:
                data = self.connection.recv(65536)
                if not data:
                    break
                self.connection.sendall(data.upper())
        elif kind == "reset":
            self.close_connection = True
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.connection.close()
        else:
            self.reply(200, self.text(size, digest))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer


class Server(ThreadingHTTPServer):
    # both families, where there is IPv6
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, address):
        pass


if __name__ == "__main__":
    Server(("", int(sys.argv[1])), Handler).serve_forever()
