#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The way of a rule, for 10, 1,000 and 100,000 routes: weir check, the agent's start,
a changed rule, a changed endpoint; times, medians of some rounds, and peak memory.

To be run in a network namespace, with a route to 10.77.1.0/24. Changed endpoints are
looked for in the pinned map of groups, by asking it all the time.
"""
import argparse
import ctypes
import json
import os
import platform
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = (10, 1000, 100000)
WAIT_S = 60


# --- the bpf system call ---

BPF_LOOKUP, BPF_NEXT_KEY, BPF_GET = 1, 4, 7
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buf = ctypes.create_string_buffer(attr, 128)
    return libc.syscall(BPF, command, buf, len(attr))


def map_open(path):
    name = ctypes.create_string_buffer(path.encode())
    fd = bpf(BPF_GET, struct.pack("=QII", ctypes.addressof(name), 0, 0))
    if fd < 0:
        sys.exit(f"{path}: {os.strerror(ctypes.get_errno())}")
    return fd


class Group:
    """A group's slots in the map, without the turn that the kernel moves."""
    VALUE = 8192

    def __init__(self, fd, name):
        self.fd, self.key = fd, ctypes.create_string_buffer(4)
        self.value = ctypes.create_string_buffer(self.VALUE)
        last = 0
        while name.encode() + b"\0" not in self.read() or last == 0:
            r = bpf(BPF_NEXT_KEY, struct.pack(
                "=IIQQ", fd, 0, last, ctypes.addressof(self.key)))
            if r:
                sys.exit(f"no group {name}")
            last = ctypes.addressof(self.key)

    def read(self):
        bpf(BPF_LOOKUP, struct.pack("=IIQQQ", self.fd, 0, ctypes.addressof(self.key),
                                    ctypes.addressof(self.value), 0))
        return self.value.raw[8:]


# --- what is measured ---

def generate(routes, where):
    subprocess.run([f"{HERE}/manifests.py", str(routes), where, "--regexes", "100"],
                   check=True)


def check(weir, where):
    """Wall seconds, peak MiB, and the steps in ms."""
    begin = time.monotonic()
    p = subprocess.Popen([weir, "check", "-v", "-f", where], text=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit(text)
    found = {}
    for key, pattern in (("parse", r"manifests read, (\d+) ms"),
                         ("rules", r"rules made anew: \d+ routes, (\d+) ms")):
        found[key] = int(re.search(pattern, text)[1])
    return found | {"check": (time.monotonic() - begin) * 1e3,
                    "check_mib": usage.ru_maxrss / 1024}


class Agent:
    def __init__(self, weir, where):
        self.begin = time.monotonic()
        self.p = subprocess.Popen(
            [weir, "run", "-v", "-i", "lo", "-l", "127.0.0.1:8099", "-f", where],
            text=True, stderr=subprocess.PIPE, bufsize=1)
        self.steps = {}

    def until(self, pattern):
        """Milliseconds until a line like that; steps are noted on the way."""
        for line in self.p.stderr:
            m = re.search(r"table compiled and checked, (\d+) ms; "
                          r"maps written, (\d+) ms", line)
            if m:
                self.steps = {"compile": int(m[1]), "write": int(m[2])}
            if re.search(pattern, line):
                return (time.monotonic() - self.begin) * 1e3
        sys.exit("the agent has ended")

    def peak_mib(self):
        with open(f"/proc/{self.p.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) / 1024

    def stop(self):
        self.p.terminate()
        self.p.communicate()


def replace(path, old, new):
    """Like an editor that puts a new file in the place of the old one."""
    with open(path, encoding="ascii") as f:
        text = f.read()
    if old not in text:
        sys.exit(f"{path}: no {old}")
    with open(path + "~", "w", encoding="ascii") as f:
        f.write(text.replace(old, new))
    os.rename(path + "~", path)


def endpoint_ms(group, path, old, new):
    before = group.read()
    replace(path, old, new)
    begin = time.monotonic()
    while group.read() == before:
        if time.monotonic() > begin + WAIT_S:
            sys.exit("the changed endpoint does not come")
    return (time.monotonic() - begin) * 1e3


def follow(weir, where, rounds, pin):
    agent = Agent(weir, where)
    out = {"start": [agent.until(r"weir: ready")]}
    for key, value in agent.steps.items():
        out[key] = [value]
    rule = f"{where}/ingress-000.yaml"
    endpoint = f"{where}/endpoints/s0.yaml"
    group = Group(map_open(f"{pin}/maps/groups"), "bench/s0:80")
    for n in range(rounds):
        agent.begin = time.monotonic()
        replace(rule, f"/api/0/v{'1' if not n else '1x' + str(n)}\n",
                f"/api/0/v1x{n + 1}\n")
        out.setdefault("reload", []).append(agent.until(r"serving \d+ routes"))
        time.sleep(0.2)
        address = f"10.77.1.{2 if not n else 210 + n}\""
        out.setdefault("endpoint", []).append(
            endpoint_ms(group, endpoint, address, f"10.77.1.{211 + n}\""))
        agent.until(r"serving \d+ routes")
        time.sleep(0.2)
    out["agent_mib"] = [agent.peak_mib()]
    agent.stop()
    return out


def measure(weir, routes, work, rounds, pin):
    where = f"{work}/rules-{routes}"
    generate(routes, where)
    out = {}
    for _ in range(rounds):
        for key, value in check(weir, where).items():
            out.setdefault(key, []).append(value)
    out |= follow(weir, where, rounds, pin)
    shutil.rmtree(where)
    return {key: statistics.median(values) for key, values in out.items()}


ROWS = (
    ("parse", "manifests read", "ms"),
    ("rules", "rules made", "ms"),
    ("check", "weir check, all of it", "ms"),
    ("check_mib", "weir check, peak memory", "MiB"),
    ("compile", "table compiled and checked", "ms"),
    ("write", "program loaded, maps written, table switched", "ms"),
    ("start", "agent, from start to ready", "ms"),
    ("reload", "agent, one rule changed, until it is served", "ms"),
    ("endpoint", "agent, one endpoint changed, until the map has it", "ms"),
    ("agent_mib", "agent, peak memory", "MiB"),
)
# What is to hold at the largest size; the endpoint at any.
GOALS = {"check": 1000, "reload": 1000, "endpoint": 10, "agent_mib": 300,
         "check_mib": 300}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--weir", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--pin", required=True)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--json", required=True)
    opt = p.parse_args()
    found = {n: measure(opt.weir, n, opt.work, opt.rounds, opt.pin) for n in SIZES}

    print(f"\nrules: medians of {opt.rounds} rounds\n")
    print(f"{'routes':52}" + "".join(f"{n:>10,}" for n in SIZES) + f"{'goal':>9}")
    for key, text, unit in ROWS:
        goal = GOALS.get(key)
        worst = max(found[n][key] for n in SIZES)
        verdict = "" if goal is None else (
            f"{goal:>9} " + ("met" if worst <= goal else "NOT MET"))
        print(f"{text + ', ' + unit:52}" +
              "".join(f"{found[n][key]:>10.1f}" for n in SIZES) + verdict)
    with open(opt.json, "w", encoding="ascii") as f:
        json.dump({"rounds": opt.rounds, "routes": found, "goals": GOALS}, f, indent=1)


main()
