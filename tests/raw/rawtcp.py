# SPDX-License-Identifier: BSD-2-Clause
"""A TCP client made by hand over a packet socket, to say what no kernel would.

Its address belongs to no stack, so nobody else answers. A Flow holds what is to
be sent as one stream of bytes; a case sends any slices of it in any order, and
receives what comes back, put in order by sequence number.
"""
import os
import random
import select
import socket
import struct
import time

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
WRAP = 1 << 32
PACKET_VNET_HDR = 15
SOL_PACKET = 263
NEEDS_CSUM = 1


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def before(a, b):
    """RFC 9293, 3.4"""
    return (a - b) % WRAP >= 1 << 31


class Link:
    """The wire: a device, our address and the next hop's hardware address."""

    def __init__(self, dev, address, gateway_mac):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((dev, 0x0800))
        self.own = self.socket.getsockname()[4]
        self.header = bytes.fromhex(gateway_mac.replace(":", "")) + self.own + b"\x08\0"
        self.address = socket.inet_aton(address)
        self.bad = 0  # segments with a wrong checksum

    def send(self, packet):
        self.socket.send(bytes(10) + self.header + packet)

    def receive(self, timeout):
        """(ip packet, gso size), or None"""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if not select.select([self.socket], [], [], max(left, 0))[0]:
                return None
            frame = self.socket.recv(70000)
            flags, _, _, gso, _, _ = struct.unpack("<BBHHHH", frame[:10])
            packet = frame[24:]
            if frame[10:16] != self.own or packet[16:20] != self.address:
                continue
            length = struct.unpack("!H", packet[2:4])[0]
            packet = packet[:length]
            if not flags & NEEDS_CSUM and checksum(
                packet[12:20] + struct.pack("!HH", 6, length - 20) + packet[20:]
            ):
                self.bad += 1
                continue
            return packet, gso


class Reset(Exception):
    """The connection was reset."""


class Flow:
    """One connection. Positions are bytes of the stream from its start."""

    # each once: an earlier connection may not be over
    ports = iter(random.Random(os.getpid()).sample(range(20000, 60000), 20000))

    def __init__(self, link, server, isn=None, mss=1460, wscale=7, sack=True, port=None):
        self.link = link
        self.server = socket.inet_aton(server[0])
        self.server_port = server[1]
        self.port = port or next(self.ports)
        self.isn = random.getrandbits(32) if isn is None else isn % WRAP
        self.mss, self.wscale, self.sack = mss, wscale, sack
        self.window = 65535
        self.out = b""  # everything that is to be sent
        self.acked = 0  # position, the FIN counts as one byte
        self.peer_isn = None
        self.received = b""
        self.pieces = {}  # behind a gap: position -> bytes
        self.fin_at = None  # position of the peer's FIN
        self.reset = False
        self.largest = 0  # payload of a segment as it was on the wire
        self.quiet = False  # no ACK by itself
        self.segments = 0

    # ---- out ----

    def segment(self, flags, seq, ack, data=b"", options=b"", window=None, spoil=0):
        options += b"\1" * (-len(options) % 4)
        tcp = struct.pack(
            "!HHIIBBHHH",
            self.port,
            self.server_port,
            seq % WRAP,
            ack % WRAP,
            (20 + len(options)) // 4 << 4,
            flags,
            self.window if window is None else window,
            0,
            0,
        )
        tcp += options + data
        pseudo = self.link.address + self.server + struct.pack("!HH", 6, len(tcp))
        check = (checksum(pseudo + tcp) + spoil) % 0xFFFF
        tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
        ip = struct.pack(
            "!BBHHHBBH4s4s",
            0x45,
            0,
            20 + len(tcp),
            random.getrandbits(16),
            0x4000,
            64,
            6,
            0,
            self.link.address,
            self.server,
        )
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.link.send(ip + tcp)

    def seq(self, position):
        return (self.isn + 1 + position) % WRAP

    def next_ack(self):
        n = self.peer_isn + 1 + len(self.received)
        if self.fin_at is not None and len(self.received) >= self.fin_at:
            n += 1
        return n % WRAP

    def send(self, start, end, flags=PSH | ACK, data=None, **more):
        """Bytes start..end of the stream, or other ones in their place."""
        if data is None:
            data = self.out[start:end]
        self.segment(flags, self.seq(start), self.next_ack(), data, **more)

    def ack(self, **more):
        self.segment(ACK, self.seq(self.acked), self.next_ack(), **more)

    def syn(self):
        options = struct.pack("!BBH", 2, 4, self.mss)
        if self.sack:
            options += b"\4\2"
        if self.wscale is not None:
            options += struct.pack("!BBB", 3, 3, self.wscale)
        self.segment(SYN, self.isn, 0, options=options, window=65535)

    # ---- in ----

    def receive(self, timeout=0.2):
        """One segment of this connection: (flags, seq, ack, data, options) or None."""
        while True:
            got = self.link.receive(timeout)
            if got is None:
                return None
            packet, gso = got
            tcp = packet[20:]
            sport, dport, seq, ack, off, flags = struct.unpack("!HHIIBB", tcp[:14])
            if (sport, dport) != (self.server_port, self.port):
                continue
            data = tcp[(off >> 4) * 4 :]
            options = tcp[20 : (off >> 4) * 4]
            self.segments += 1
            self.largest = max(self.largest, gso or len(data))
            return flags, seq, ack, data, options

    def connect(self, bare_ack=True):
        for _ in range(5):
            self.syn()
            got = self.receive(1)
            if got and got[0] == SYN | ACK and got[2] == self.seq(0):
                self.peer_isn = got[1]
                self.peer_options = got[4]
                if bare_ack:
                    self.ack()
                return self
        raise Reset("no SYN-ACK")

    def take(self, flags, seq, ack, data):
        """What a receiver does: acknowledged bytes, bytes in order, FIN, RST."""
        if flags & RST:
            if seq == self.next_ack() or flags & ACK:
                self.reset = True
            return
        done = (ack - self.seq(0)) % WRAP
        if flags & ACK and self.acked < done <= len(self.out) + 1:
            self.acked = done
        at = (seq - self.peer_isn - 1) % WRAP
        if at >= 1 << 31:
            at -= WRAP
        if flags & FIN:
            self.fin_at = at + len(data)
        if data and at + len(data) > 0:
            self.pieces[at] = max(self.pieces.get(at, b""), data, key=len)
        moved = True
        while moved:
            moved = False
            for where in sorted(self.pieces):
                piece, have = self.pieces[where], len(self.received)
                if where <= have:
                    del self.pieces[where]
                    if where + len(piece) > have:
                        self.received += piece[have - where :]
                        moved = True
                    break

    def poll(self, timeout=0.2):
        """One segment taken, and acknowledged if it has anything to acknowledge."""
        got = self.receive(timeout)
        if got is None:
            return False
        self.take(*got[:4])
        if (got[3] or got[0] & (FIN | SYN)) and not self.reset and not self.quiet:
            self.ack()
        return True

    def until(self, done, resend=None, seconds=10):
        """Polls until done(); resend() is called whenever it is quiet for 50 ms."""
        end = time.monotonic() + seconds
        while not done():
            if self.reset:
                raise Reset("reset")
            if time.monotonic() > end:
                raise TimeoutError(
                    f"acknowledged {self.acked} of {len(self.out)}, "
                    f"received {len(self.received)}: {self.received[-200:]!r}"
                )
            if not self.poll(0.05) and resend:
                resend()
        return self

    def resend(self):
        """What a retransmission timer does."""
        if self.acked < len(self.out):
            self.send(self.acked, min(self.acked + self.mss, len(self.out)))

    def all_sent(self):
        return self.acked >= len(self.out)

    # ---- HTTP ----

    def answers(self):
        """Whole responses received so far: [(status, head, body)]"""
        found, rest = [], self.received
        while b"\r\n\r\n" in rest:
            head, rest = rest.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            length = 0
            for line in lines[1:]:
                name, value = line.split(":", 1)
                if name.lower() == "content-length":
                    length = int(value)
            if len(rest) < length:
                break
            found.append((int(lines[0].split()[1]), lines, rest[:length]))
            rest = rest[length:]
        return found

    def answered(self, count=1):
        return lambda: len(self.answers()) >= count

    def close(self):
        """Abort, so that nothing is left behind."""
        if not self.reset and self.peer_isn is not None:
            self.segment(RST, self.seq(self.acked), 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(path, *fields, method="GET", body=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: raw.example", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


def told(answer):
    """What an echo pod says: {"pod": ..., "target": ...}"""
    out = {"status": answer[0]}
    for line in answer[2].decode("latin-1").splitlines():
        if ": " in line:
            name, value = line.split(": ", 1)
            out[name] = value
    return out


failures = 0


def case(what):
    """Runs the function at once; what it returns must be true, or None."""

    def run(fn):
        global failures
        try:
            good = fn()
            detail = "" if good in (None, True) else repr(good)
            good = good in (None, True)
        except Exception as e:  # whatever it is, the test has failed
            good, detail = False, f"{type(e).__name__}: {e}"
        print(("PASS " if good else "FAIL ") + what, flush=True)
        if not good:
            failures += 1
            print(f"     {detail}", flush=True)

    return run
