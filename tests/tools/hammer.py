#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""hammer.py close|keep HOST PATH: requests one after another until SIGTERM, each on a
connection of its own or all on one. Ends with one line, "N requests, N failed", and
why the first one failed. Its first answer is told as well ("begun")."""
import http.client
import signal
import sys

kind, host, path = sys.argv[1:]
stop = False
done = failed = 0
why = ""


def on_term(_signal, _frame):
    global stop
    stop = True


signal.signal(signal.SIGTERM, on_term)
conn = None
while not stop:
    try:
        if not conn:
            conn = http.client.HTTPConnection(host, timeout=30)
        conn.request("GET", path,
                     headers={"Connection": "close"} if kind == "close" else {})
        answer = conn.getresponse()
        answer.read()
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
        done += 1
        if done == 1:
            print("begun", flush=True)
    except (OSError, http.client.HTTPException) as e:
        failed += 1
        why = why or f": request {done + failed}: {e!r}"
        conn = None
    if kind == "close" and conn:
        conn.close()
        conn = None
print(f"{done} requests, {failed} failed{why}", flush=True)
