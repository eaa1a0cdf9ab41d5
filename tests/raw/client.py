#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""client.py DEVICE ADDRESS GATEWAY_MAC SERVER PORT: a client's TCP as bad as it may be.

/a leads to pod2, /b to pod3, /strip with strip-path to pod2, /size/... to files on
pod2, /origin/... with strip-path to origin.py; everything else has no rule. T-numbers are those of tests/tcp-coverage.md.
"""
import itertools
import random
import sys

import rawtcp
from rawtcp import ACK, FIN, PSH, RST, SYN, Flow, Link, case, get, told

LINK = Link(*sys.argv[1:4])
WHERE = (sys.argv[4], int(sys.argv[5]))


def flow(**how):
    return Flow(LINK, WHERE, **how)


def wrong(answers, *wanted):
    """None, or what is not as wanted: (pod, target) or a status for each."""
    got = [told(a) for a in answers]
    if len(got) != len(wanted):
        return got
    for g, w in zip(got, wanted):
        if isinstance(w, int):
            if g["status"] != w:
                return g
        elif (g.get("pod"), g.get("target")) != w:
            return g
    return None


@case("the whole request in one segment, with and without the bare ACK")
def _():
    for bare in (True, False):
        with flow().connect(bare) as f:
            f.out = get("/a/1")
            f.send(0, len(f.out))
            f.until(f.answered())
            bad = wrong(f.answers(), ("pod2", "/a/1"))
            if bad:
                return bad


@case("T040: cut in two at every place, without waiting")
def _():
    text = get("/strip/cut?x")
    for k in range(1, len(text)):
        with flow().connect(k % 2 == 0) as f:
            f.out = text
            f.send(0, k, ACK)
            f.send(k, len(text))
            f.until(f.answered(), f.resend)
            bad = wrong(f.answers(), ("pod2", "/cut?x"))
            if bad:
                return k, bad


@case("T041: four pieces in every order")
def _():
    text = get("/b/order")
    cuts = [0, 7, 30, 41, len(text)]
    pieces = list(zip(cuts, cuts[1:]))
    for order in itertools.permutations(pieces):
        with flow().connect() as f:
            f.out = text
            for start, end in order:
                f.send(start, end)

            def again():
                for start, end in order:
                    if end > f.acked:
                        f.send(start, end)

            f.until(f.answered(), again)
            bad = wrong(f.answers(), ("pod3", "/b/order"))
            if bad:
                return order, bad


@case("T044: the first bytes win, whatever comes in their place later")
def _():
    first = get("/strip/first")
    other = get("/b/other/x")
    for k in range(20, len(first)):
        with flow().connect() as f:
            f.out = first
            f.send(0, k, ACK)
            # other bytes for what weir has, before and after the rest
            f.send(0, k, ACK, data=other[:k])
            f.send(k, len(first))
            f.send(0, k, ACK, data=other[:k])
            f.send(0, len(other), data=other)
            f.until(f.answered(), f.resend)
            bad = wrong(f.answers(), ("pod2", "/first"))
            if bad:
                return k, bad


@case("T043, T045: retransmissions with any other boundaries, during and after it")
def _():
    text = get("/strip/again", "X-Fill: " + "f" * 300)
    for seed in range(30):
        rnd = random.Random(seed)
        with flow().connect() as f:
            f.out = text
            f.send(0, len(text))
            for _ in range(20):
                a, b = sorted(rnd.sample(range(len(text) + 1), 2))
                f.send(a, b)
                f.poll(0.001)
            f.until(f.answered(), f.resend)
            for _ in range(20):
                a, b = sorted(rnd.sample(range(len(text) + 1), 2))
                f.send(a, b)
            # it is still a connection in order
            f.out += get("/b/next")
            f.send(len(text), len(f.out))
            f.until(f.answered(2), f.resend)
            bad = wrong(f.answers(), ("pod2", "/again"), ("pod3", "/b/next"))
            if bad:
                return seed, bad


@case("T078: the client's numbers wrap anywhere in a request, a body and an answer")
def _():
    body = b"b" * 50
    for back in list(range(1, 200, 7)) + [1 << 31, (1 << 31) + 60]:
        with flow(isn=-back).connect() as f:
            f.out = get("/a/wrap", method="POST", body=body)
            n = len(f.out)
            f.send(0, 30, ACK)
            f.send(30, n)
            f.until(f.answered(), f.resend)
            f.out += get("/b/wrap") + b""
            f.send(n, len(f.out))
            f.until(f.answered(2), f.resend)
            bad = wrong(f.answers(), ("pod2", "/a/wrap"), ("pod3", "/b/wrap"))
            if bad:
                return back, bad


@case("T042: every packet of the client's three times")
def _():
    with flow() as f:
        once = f.segment

        def thrice(*args, **more):
            for _ in range(3):
                once(*args, **more)

        f.segment = thrice
        f.connect()
        want = []
        for i in range(20):
            start = len(f.out)
            path = ("/a", "/b", "/none", "/strip")[i % 4] + f"/{i}"
            f.out += get(path)
            f.send(start, start + 20, ACK)
            f.send(start + 20, len(f.out))
            f.until(f.answered(i + 1), f.resend)
            want.append(
                (("pod2", path), ("pod3", path), 404, ("pod2", path[6:]))[i % 4]
            )
        return wrong(f.answers(), *want)


@case("T055: FIN with the request, FIN behind it: the answer comes whole")
def _():
    for path, want in (("/a/fin", ("pod2", "/a/fin")), ("/none", 404)):
        for together in (True, False):
            with flow().connect() as f:
                f.out = get(path, "Connection: close")
                n = len(f.out)
                if together:
                    f.send(0, n, FIN | PSH | ACK)
                else:
                    f.send(0, n)
                    f.send(n, n, FIN | ACK)

                def again():
                    if f.acked <= n:
                        f.send(0, n, FIN | PSH | ACK)

                f.until(lambda: f.fin_at is not None and f.acked > n, again)
                if f.fin_at != len(f.received):
                    return path, "bytes are missing"
                bad = wrong(f.answers(), want)
                if bad:
                    return path, together, bad


@case("T090: half-closed by the client during a download of 1 MB")
def _():
    with flow().connect() as f:
        f.out = get("/origin/size/1048576", "Connection: close")
        n = len(f.out)
        f.send(0, n)
        f.until(lambda: len(f.received) > 10000, f.resend)
        f.send(n, n, FIN | ACK)
        f.until(lambda: f.fin_at is not None and f.fin_at == len(f.received))
        if not f.answers() or len(f.answers()[0][2]) != 1 << 20:
            return len(f.received), f.received[:200]


@case("T058: RST in the head, and the port again at once")
def _():
    for k in (0, 1, 20):
        f = flow().connect()
        f.out = get("/a/x")
        if k:
            f.send(0, k, ACK)
            f.until(lambda: f.acked == k)
        f.segment(RST, f.seq(k), 0)
        with flow(port=f.port).connect() as g:
            g.out = get("/b/after")
            g.send(0, len(g.out))
            g.until(g.answered(), g.resend)
            bad = wrong(g.answers(), ("pod3", "/b/after"))
            if bad:
                return k, bad


@case("T032: the port again right after a full close, many times")
def _():
    port = next(Flow.ports)
    isn = 1000
    for i in range(50):
        with flow(port=port, isn=isn).connect(i % 2 == 0) as f:
            f.out = get(f"/{'ab'[i % 2]}/{i}", "Connection: close")
            n = len(f.out)
            f.send(0, n)
            f.until(lambda: f.fin_at is not None, f.resend)
            f.until(lambda: f.fin_at == len(f.received))
            bad = wrong(f.answers(), (f"pod{2 + i % 2}", f"/{'ab'[i % 2]}/{i}"))
            if bad:
                return i, bad
            # close in order: FIN, and its ACK
            f.send(n, n, FIN | ACK)
            f.until(lambda: f.acked > n, lambda: f.send(n, n, FIN | ACK))
            isn = f.seq(n) + 5000
            f.peer_isn = None


@case("T088: RST, SYN and data from a stranger who knows the ports only")
def _():
    rnd = random.Random(7)
    with flow().connect() as f:
        for i in range(10):
            start = len(f.out)
            f.out += get(f"/{'ab'[i % 2]}/{i}")
            f.send(start, len(f.out))
            for _ in range(20):
                far = (f.seq(f.acked) + rnd.randint(1 << 20, (1 << 32) - (1 << 20))) % (
                    1 << 32
                )
                kind = rnd.choice((RST, RST | ACK, SYN, ACK, PSH | ACK, FIN | ACK))
                f.segment(
                    kind,
                    far,
                    rnd.getrandbits(32),
                    b"EVIL" if kind & PSH else b"",
                )
            f.until(f.answered(i + 1), f.resend)
        return wrong(
            f.answers(), *[(f"pod{2 + i % 2}", f"/{'ab'[i % 2]}/{i}") for i in range(10)]
        )


@case("T101: each segment first with a wrong checksum and other bytes")
def _():
    with flow() as f:
        once = f.segment

        def spoilt(flags, seq, ack, data=b"", **more):
            once(flags, seq, ack, b"Z" * len(data), spoil=0x101, **more)
            once(flags, seq, ack, data, **more)

        f.segment = spoilt
        f.connect()
        for i in range(6):
            start = len(f.out)
            f.out += get(f"/{'ab'[i % 2]}/{i}", method="POST", body=b"x" * 100)
            f.send(start, start + 40, ACK)
            f.send(start + 40, len(f.out) - 20, ACK)
            f.send(len(f.out) - 20, len(f.out))
            f.until(f.answered(i + 1), f.resend)
        return wrong(
            f.answers(), *[(f"pod{2 + i % 2}", f"/{'ab'[i % 2]}/{i}") for i in range(6)]
        )


@case("T003, T011, T013: small segments, no scaling, no SACK: 1 MB intact")
def _():
    for mss, wscale, sack in ((536, None, False), (1000, 0, True), (1460, None, True)):
        with flow(mss=mss, wscale=wscale, sack=sack).connect() as f:
            f.out = get("/size/1.bin")
            f.send(0, len(f.out))
            f.until(f.answered(), f.resend, 30)
            if len(f.answers()[0][2]) != 1 << 20:
                return mss, "short"
            if f.largest > mss:
                return mss, f"a segment of {f.largest}"
            if (3, 3) in zip(f.peer_options, f.peer_options[1:]) and wscale is None:
                return mss, "scaling that was not offered"


@case("T080: a closed window, probes, and on")
def _():
    with flow(wscale=0).connect() as f:
        f.out = get("/size/1.bin")
        f.window = 3000
        f.send(0, len(f.out))
        f.until(lambda: len(f.received) >= 2000, f.resend)
        f.window = 0
        f.ack()
        before = f.segments
        # the endpoint's probes come through and are answered
        f.until(lambda: f.segments > before + 1, seconds=5)
        f.window = 65535
        f.ack()
        f.until(f.answered(), f.ack, 20)
        return len(f.answers()[0][2]) == 1 << 20


@case("T075: a download with losses and SACK: repaired without a time-out")
def _():
    rnd = random.Random(3)
    with flow().connect() as f:
        f.out = get("/size/1.bin")
        f.send(0, len(f.out))
        lost = 0
        f.window = 100  # many small packets rather than few large ones
        f.quiet = True
        while not f.answered()():
            got = f.receive(3)
            if got is None:
                return "the endpoint went quiet", len(f.received), lost
            if got[3] and rnd.random() < 0.05 and len(f.received) > 3000:
                lost += 1
                continue
            f.take(*got[:4])
            blocks = b""
            base = f.peer_isn + 1
            for at, piece in sorted(f.pieces.items())[:3]:
                blocks += ((base + at) % (1 << 32)).to_bytes(4, "big")
                blocks += ((base + at + len(piece)) % (1 << 32)).to_bytes(4, "big")
            options = b"\1\1\5" + bytes([2 + len(blocks)]) + blocks if blocks else b""
            f.ack(options=options)
        if lost < 4 or len(f.answers()[0][2]) != 1 << 20:
            return lost, len(f.received)


@case("T124, T143: pipelined to different places in one segment: answers in order")
def _():
    paths = ["/a/1", "/b/2", "/none", "/strip/3", "/b/4"]
    with flow().connect() as f:
        f.out = b"".join(get(p) for p in paths)
        f.send(0, len(f.out))
        f.until(f.answered(5), f.resend)
        return wrong(
            f.answers(),
            ("pod2", "/a/1"),
            ("pod3", "/b/2"),
            404,
            ("pod2", "/3"),
            ("pod3", "/b/4"),
        )


@case("T140: the reply lost again and again")
def _():
    with flow().connect() as f:
        f.out = get("/none/1") + get("/none/2")
        first = None
        for _ in range(5):
            f.send(0, len(f.out))
            got = f.receive(1)
            if got is None or (first and got[1:4] != first[1:4]):
                return "another reply", got, first
            first = got
        f.until(f.answered(2), f.resend)
        return wrong(f.answers(), 404, 404)


@case("T141: a body of 300 kB for nobody: the answer is read, not a reset")
def _():
    with flow().connect() as f:
        f.out = get("/none", method="POST", body=b"n" * 300000)
        at = 0
        while at < len(f.out):
            end = min(at + 1400, len(f.out))
            f.send(at, end, ACK)
            f.until(lambda: f.acked >= end, lambda: f.send(at, end, ACK))
            at = end
        f.until(lambda: f.fin_at is not None)
        return wrong(f.answers(), 404)


def weather(seed):
    """T136: many requests over a bad network: lost, repeated, reordered, cut anew."""
    rnd = random.Random(seed)
    with flow(
        isn=rnd.choice([None, -rnd.randint(1, 3000)]), wscale=rnd.choice([None, 0, 7])
    ) as f:
        once, waiting = f.segment, []

        def badly(*args, **more):
            luck = rnd.random()
            if luck < 0.05:
                return
            if luck < 0.15:
                waiting.append((args, more))
                return
            once(*args, **more)
            if luck < 0.25:
                once(*args, **more)
            while waiting and rnd.random() < 0.5:
                late = waiting.pop(rnd.randrange(len(waiting)))
                once(*late[0], **late[1])

        f.connect()
        f.segment = badly
        want = []
        for i in range(12):
            start = len(f.out)
            kind = rnd.randrange(4)
            path = ("/a", "/b", "/none", "/strip")[kind] + f"/{seed}/{i}"
            want.append(
                (("pod2", path), ("pod3", path), 404, ("pod2", path[6:]))[kind]
            )
            body = b"p" * rnd.choice([0, 1, 700, 3000]) if kind != 2 else None
            fill = ["X-Fill: " + "f" * rnd.choice([0, 10, 900])]
            f.out += get(path, *fill, method="POST" if body else "GET", body=body or None)
            end = len(f.out)

            def push():
                at = max(min(start, f.acked) - rnd.choice([0, 0, rnd.randrange(50)]), 0)
                at = max(at, f.acked - 50)
                while at < end:
                    n = rnd.choice([1, 3, 50, 400, 1400, 1400])
                    f.send(at, min(at + n, end))
                    at += n

            push()
            f.until(f.answered(i + 1), push, 15)
        return wrong(f.answers(), *want)


@case("T136: 40 connections of 12 requests in bad weather")
def _():
    for seed in range(40):
        try:
            bad = weather(seed)
        except (rawtcp.Reset, TimeoutError) as e:
            bad = repr(e)
        if bad:
            return seed, bad


@case("no segment from weir had a wrong checksum")
def _():
    return LINK.bad == 0


sys.exit(1 if rawtcp.failures else 0)
