#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rounds of wrk against several targets in turn; medians and ratios within rounds.

CPU is what all processors of the machine did while a run lasted (client, pod and
whatever lies between), divided by the requests or megabytes of the run.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

TURNS = """local n = 0
function request()
	n = n + 1
	return wrk.format("GET", n % 2 == 0 and "/two/small" or "/three/small")
end
"""

# name: (unit, targets, connections (0: as given), path, path without proxy, wrk options)
KINDS = {
    "keep-alive": ("req/s", "weir nginx direct", 0, "/two/small", "/small", []),
    "close": (
        "conn/s", "weir nginx direct", 0, "/two/small", "/small",
        ["-H", "Connection: close"],
    ),
    "one connection": ("req/s", "weir nginx direct", 1, "/two/small", "/small", []),
    "download": ("MB/s", "weir nginx direct", 4, "/two/size/bulk", "/size/bulk", []),
    "two services": ("req/s", "weir nginx", 0, "/", None, ["-s", "turns"]),
    "404 keep-alive": ("req/s", "weir nginx", 0, "/none", None, []),
    "404 close": ("conn/s", "weir nginx", 0, "/none", None, ["-H", "Connection: close"]),
}
SCALE = {"B": 1e-6, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


def busy():
    """Processor seconds used since boot, by everything on this machine."""
    with open("/proc/stat") as f:
        t = [int(x) for x in f.readline().split()[1:]]
    return (sum(t[:8]) - t[3] - t[4]) / os.sysconf("SC_CLK_TCK")


def run(address, kind, args, turns):
    unit, _, connections, path, direct_path, options = KINDS[kind]
    connections = connections or args.connections
    command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}",
               f"-d{args.seconds}s", "--timeout", "30s"]
    command += [turns if o == "turns" else o for o in options]
    if address == args.direct:
        path = direct_path
    before = busy()
    out = subprocess.run(
        command + [f"http://{address}{path}"], capture_output=True, text=True, check=True
    ).stdout
    cpu = busy() - before
    count, seconds, read, read_unit = re.search(
        r"(\d+) requests in ([\d.]+)s, ([\d.]+)([KMG]?B) read", out
    ).groups()
    amount = float(read) * SCALE[read_unit] if unit == "MB/s" else int(count)
    errors = re.search(r"Socket errors: (.*)", out)
    return {
        "rate": amount / float(seconds),
        "cpu_us": cpu * 1e6 / amount if amount else float("nan"),
        "errors": errors.group(1) if errors else None,
    }


def ratio(rounds, kind, other, key):
    """The median over the rounds of weir's figure in terms of the other's."""
    return statistics.median(
        r[kind]["weir"][key] / r[kind][other][key]
        for r in rounds
        if r[kind][other][key]
    )


def main():
    p = argparse.ArgumentParser()
    for name in ("weir", "nginx", "direct", "json"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=2)
    p.add_argument("--connections", type=int, default=32)
    p.add_argument("--only", action="append", choices=sorted(KINDS))
    args = p.parse_args()
    kinds = args.only or list(KINDS)
    rounds = []
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as turns:
        turns.write(TURNS)
        turns.flush()
        for n in range(args.rounds):
            result = {}
            for kind in kinds:
                targets = KINDS[kind][1].split()
                # Another one begins in each round.
                targets = targets[n % len(targets):] + targets[: n % len(targets)]
                result[kind] = {
                    t: run(getattr(args, t), kind, args, turns.name) for t in targets
                }
            rounds.append(result)
            print(f"round {n + 1} of {args.rounds} done", flush=True)

    print(f"\nmedians of {args.rounds} rounds of {args.seconds} s, "
          f"{args.connections} connections; ratios are weir to the other, by round\n")
    print(f"{'':16}{'':8}{'weir':>10}{'nginx':>10}{'direct':>10}"
          f"{'/nginx':>9}{'/direct':>9}{'CPU/nginx':>11}{'CPU/direct':>12}")
    table = {}
    for kind in kinds:
        unit, targets = KINDS[kind][:2]
        row = {t: statistics.median(r[kind][t]["rate"] for r in rounds)
               for t in targets.split()}
        ratios = {f"{key}/{t}": ratio(rounds, kind, t, key)
                  for key in ("rate", "cpu_us") for t in row if t != "weir"}
        table[kind] = {"unit": unit, "median": row, "ratio": ratios}

        def cell(value, form, width):
            return format(value, form).rjust(width) if value is not None else " " * width

        print(f"{kind:16}{unit:8}" + "".join(
            cell(row.get(t), ".0f", 10) for t in ("weir", "nginx", "direct")
        ) + cell(ratios.get("rate/nginx"), ".2f", 9)
            + cell(ratios.get("rate/direct"), ".2f", 9)
            + cell(ratios.get("cpu_us/nginx"), ".2f", 11)
            + cell(ratios.get("cpu_us/direct"), ".2f", 12))
    for r in rounds:
        for kind, by_target in r.items():
            for t, one in by_target.items():
                if one["errors"]:
                    print(f"errors, {kind}, {t}: {one['errors']}")
    with open(args.json, "w") as f:
        json.dump({"rounds": rounds, "table": table}, f, indent=1)


main()
