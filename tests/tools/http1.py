# SPDX-License-Identifier: BSD-2-Clause
"""A client that sends exactly the bytes it is told and reads answers in order."""
import socket

failed = 0


def result(what, good, detail=""):
    """One line for the runner."""
    global failed
    print(("PASS " if good else "FAIL ") + what, flush=True)
    if not good:
        failed += 1
        if detail:
            print("     " + str(detail)[:600], flush=True)


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def field(self, name):
        """From the plain text of an echo pod."""
        for line in self.body.decode("latin-1").split("\n"):
            if line.startswith(name + ": "):
                return line[len(name) + 2 :]
        return None

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:200]}"


class Connection:
    """A connection, closed by the `with` statement; every wait is bounded."""

    def __init__(self, address, timeout=30):
        self.s = socket.create_connection(address, timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.s.close()

    def send(self, *pieces):
        """Each piece leaves as a segment of its own, if the window lets it."""
        for p in pieces:
            self.s.sendall(p)
        return self

    def more(self):
        data = self.s.recv(1 << 20)
        self.data += data
        return bool(data)

    def until(self, mark):
        while mark not in self.data:
            if not self.more():
                raise EOFError(f"closed after {self.data[:200]!r}")
        head, _, self.data = self.data.partition(mark)
        return head

    def exactly(self, n):
        while len(self.data) < n:
            if not self.more():
                raise EOFError(f"closed {n - len(self.data)} bytes early")
        out, self.data = self.data[:n], self.data[n:]
        return out

    def answer(self, method="GET"):
        """The next final response (100 and 103 are passed over)."""
        while True:
            lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            fields = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            if status >= 200 or status == 101:
                break
        if method == "HEAD" or status in (101, 204, 304):
            return Answer(status, fields, b"")
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b""
            while True:
                size = int(self.until(b"\r\n"), 16)
                body += self.exactly(size)
                self.exactly(2)
                if not size:
                    return Answer(status, fields, body)
        if "content-length" in fields:
            return Answer(status, fields, self.exactly(int(fields["content-length"])))
        while self.more():
            pass
        body, self.data = self.data, b""
        return Answer(status, fields, body)

    def at_end(self):
        """Has the other side closed, with FIN, after all that was read?"""
        try:
            return not self.data and not self.more()
        except ConnectionResetError:
            return False


def get(target, *fields, method="GET", host="test.example", version="1.1"):
    """The bytes of a request head."""
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += fields
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
