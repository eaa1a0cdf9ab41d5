# SPDX-License-Identifier: BSD-2-Clause
"""One connection, kept: for each path on stdin a request; the answering pod's name."""
import sys

from http1 import Connection

with Connection((sys.argv[1], 80)) as c:
    for path in sys.stdin:
        c.send(f"GET {path.strip()} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode())
        print(c.answer().field("pod"), flush=True)
