#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mixed.py HOST CONNECTIONS REQUESTS SEED: requests of many kinds, in random order.

Each of CONNECTIONS sends REQUESTS one after another on a connection of its own and
checks each answer against what was asked: pod, target, length, digest. Prints how
many were answered rightly, and the first few that were not.

	/two, /three	echo pods (nginx)
	/origin		tests/tools/origin.py
	/none		no rule: the kernel's 404
"""
import hashlib
import http.client
import random
import sys
import threading

sys.path.insert(0, sys.path[0])
from origin import pattern  # noqa: E402

HOST, CONNECTIONS, REQUESTS, SEED = sys.argv[1], *map(int, sys.argv[2:5])
right = [0] * CONNECTIONS
wrong = []


def fields(body):
    """The lines "name: value" of an echo."""
    return dict(line.split(": ", 1) for line in body.decode().splitlines() if line)


def pieces(data):
    """DATA in pieces of odd sizes, for a chunked body."""
    step = 1
    while data:
        yield data[:step]
        data, step = data[step:], step * 7 % 4001 + 1


def echo(conn, rng, name):
    pod = rng.choice(["two", "three"])
    method = rng.choice(["GET", "GET", "GET", "HEAD", "DELETE"])
    conn.request(method, f"/{pod}/{name}?{'x' * rng.randrange(900)}")
    answer = conn.getresponse()
    body = answer.read()
    if method == "HEAD":
        return answer.status == 200 and not body
    told = fields(body)
    return (
        answer.status == 200
        and told["target"].startswith(f"/{name}?")
        and told["pod"] == {"two": "pod2", "three": "pod3"}[pod]
        and told["method"] == method
    )


def upload(conn, rng, name):
    data = rng.randbytes(rng.randrange(60000))
    if rng.random() < 0.5:
        conn.request("POST", f"/origin/{name}", body=data)
    else:
        conn.request("POST", f"/origin/{name}", body=pieces(data), encode_chunked=True)
    told = fields(conn.getresponse().read())
    return (
        told["target"] == f"/{name}"
        and int(told["length"]) == len(data)
        and told["md5"] == hashlib.md5(data).hexdigest()
    )


def download(conn, rng, name):
    size = rng.randrange(80000)
    conn.request("GET", f"/origin/size/{size}?{name}")
    return conn.getresponse().read() == b"".join(pattern(size))


def chunked(conn, rng, name):
    size = rng.randrange(80000)
    conn.request("GET", f"/origin/chunked/{size}?{name}")
    return len(conn.getresponse().read()) == size


def bodiless(conn, rng, name):
    kind, status = rng.choice([("no-content", 204), ("not-modified", 304)])
    conn.request("GET", f"/origin/{kind}?{name}")
    answer = conn.getresponse()
    return answer.status == status and not answer.read()


def unknown(conn, rng, name):
    conn.request("GET", f"/none/{name}")
    answer = conn.getresponse()
    return answer.status == 404 and b"no Route matched" in answer.read()


KINDS = [echo] * 6 + [upload, download, chunked, bodiless, unknown]


def connection(number):
    rng = random.Random(SEED * 1000003 + number)
    conn = http.client.HTTPConnection(HOST, timeout=60)
    for i in range(REQUESTS):
        name = f"{number}-{i}"
        kind = rng.choice(KINDS)
        try:
            if kind(conn, rng, name):
                right[number] += 1
            else:
                wrong.append(f"{name} {kind.__name__}: another answer")
        except (OSError, KeyError, ValueError, http.client.HTTPException) as error:
            wrong.append(f"{name} {kind.__name__}: {error!r}")
            conn.close()
    conn.close()


threads = [
    threading.Thread(target=connection, args=(n,), daemon=True) for n in range(CONNECTIONS)
]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(sum(right))
for line in wrong[:10]:
    print(line, file=sys.stderr)
