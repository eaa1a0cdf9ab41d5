# SPDX-License-Identifier: BSD-2-Clause
"""Many connections at once: KEPT that stay open, then MORE that come and go while
these stay, then one request on each that stayed. Prints how many of each were 200.
Two processes, for the sake of their limits on descriptors."""
import multiprocessing
import resource
import sys

from http1 import Connection

PROCESSES = 2
address, kept, more = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(
    resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2
)
REQUEST = b"GET /small HTTP/1.1\r\nHost: a.example\r\n\r\n"
line = multiprocessing.Barrier(PROCESSES)


def ask(c):
    c.send(REQUEST)
    return c.answer().status == 200


def part(_):
    crowd, good, passing = [], 0, 0
    for _ in range(kept // PROCESSES):
        crowd.append(Connection((address, 80)))
        good += ask(crowd[-1])
    line.wait(60)
    for _ in range(more // PROCESSES):
        with Connection((address, 80)) as c:
            passing += ask(c)
    line.wait(60)
    return good, passing, sum(ask(c) for c in crowd)


with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
    print(*map(sum, zip(*pool.map(part, range(PROCESSES), chunksize=1))))
