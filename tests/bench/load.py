#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rounds of wrk against several targets in turn; medians and ratios within rounds.

CPU is what all processors of the machine did while a run lasted (client, pod and
whatever lies between), divided by the requests or megabytes of the run. To be run in
the client's namespace, by bench.sh.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

BODY = 4 << 20  # bytes of an upload

SCRIPTS = {
    "turns": """local n = 0
function request()
	n = n + 1
	return wrk.format("GET", n % 2 == 0 and "/two/small" or "/three/small")
end
""",
    "upload": f"""wrk.method = "PUT"
wrk.body = string.rep("x", {BODY})
""",
}
CLOSE = ["-H", "Connection: close"]
ALL, PROXIES = ("weir", "direct", "nginx", "haproxy"), ("weir", "nginx", "haproxy")

# name: (unit, targets, connections (0: as given), path, path without a proxy, options)
KINDS = {
    "keep-alive": ("req/s", ALL, 0, "/two/small", "/small", []),
    "close": ("conn/s", ALL, 0, "/two/small", "/small", CLOSE),
    "one connection": ("req/s", ALL, 1, "/two/small", "/small", []),
    "download": ("MB/s", ALL, 4, "/two/size/bulk", "/size/bulk", []),
    "upload": ("MB/s", ALL, 4, "/two/put/bulk", "/put/bulk", ["-s", "upload"]),
    "two services": ("req/s", PROXIES, 0, "/", None, ["-s", "turns"]),
    "404 keep-alive": ("req/s", PROXIES, 0, "/none", None, []),
    "404 close": ("conn/s", PROXIES, 0, "/none", None, CLOSE),
}

# What weir is to be, next to another target: (kind, figure, target, least or most).
GOALS = (
    ("keep-alive", "rate", "direct", ">=", 1.05),
    ("keep-alive", "cpu_us", "direct", "<=", 0.95),
    ("keep-alive", "rate", "nginx", ">=", 1.8),
    ("keep-alive", "rate", "haproxy", ">=", 1.8),
    ("close", "rate", "direct", ">=", 1.05),
    ("close", "cpu_us", "direct", "<=", 1.0),
    ("one connection", "rate", "direct", ">=", 1.05),
    ("download", "rate", "direct", ">=", 1.2),
    ("download", "rate", "nginx", ">=", 6.0),
    ("upload", "rate", "direct", ">=", 1.2),
    ("upload", "rate", "nginx", ">=", 6.0),
    ("two services", "rate", "nginx", ">=", 1.2),
    ("404 close", "rate", "nginx", ">=", 2.3),
)
SCALE = {"B": 1e-6, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


def busy():
    """Processor seconds used since boot, by everything on this machine."""
    with open("/proc/stat", encoding="ascii") as f:
        t = [int(x) for x in f.readline().split()[1:]]
    return (sum(t[:8]) - t[3] - t[4]) / os.sysconf("SC_CLK_TCK")


def run(address, kind, is_direct, args, scripts):
    unit, _, connections, path, direct_path, options = KINDS[kind]
    connections = connections or args.connections
    command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}",
               f"-d{args.seconds}s", "--timeout", "30s", "--latency"]
    command += [f"{scripts}/{o}" if o in SCRIPTS else o for o in options]
    command.append(f"http://{address}{direct_path if is_direct else path}")
    before = busy()
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu = busy() - before
    count, seconds, read, read_unit = re.search(
        r"(\d+) requests in ([\d.]+)s, ([\d.]+)([KMG]?B) read", out).groups()
    amount = int(count)
    if kind == "upload":
        amount *= BODY / 1e6
    elif unit == "MB/s":
        amount = float(read) * SCALE[read_unit]
    errors = re.findall(r"Socket errors: .*|Non-2xx or 3xx responses: \d+", out)
    if kind.startswith("404"):
        errors = [e for e in errors if not e.startswith("Non-2xx")]
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    return {
        "rate": amount / float(seconds),
        "cpu_us": cpu * 1e6 / amount if amount else float("nan"),
        "p99_us": float(p99[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[p99[2]] if p99 else None,
        "errors": "; ".join(errors) or None,
    }


def ratio(rounds, kind, other, key):
    """The median over the rounds of weir's figure in terms of the other's; None when
    there is none."""
    found = [r[kind]["weir"][key] / r[kind][other][key]
             for r in rounds if r[kind][other][key]]
    return statistics.median(found) if found else None


def all_rounds(kinds, args, scripts):
    rounds = []
    for n in range(args.rounds):
        result = {}
        for kind in kinds:
            targets = KINDS[kind][1]
            turn = n % len(targets)  # another one begins in each round
            result[kind] = {
                t: run(getattr(args, t), kind, t == "direct", args, scripts)
                for t in targets[turn:] + targets[:turn]
            }
        rounds.append(result)
        print(f"round {n + 1} of {args.rounds} done", flush=True)
    return rounds


def tables(rounds, kinds):
    out = {}
    for kind in kinds:
        unit, targets = KINDS[kind][:2]
        out[kind] = {
            "unit": unit,
            "median": {key: {t: statistics.median(r[kind][t][key] for r in rounds)
                             for t in targets} for key in ("rate", "cpu_us")},
            "ratio": {key: {t: ratio(rounds, kind, t, key)
                            for t in targets if t != "weir"}
                      for key in ("rate", "cpu_us")},
        }
    return out


def cell(value, form, width=9):
    return (format(value, form) if value is not None else "-").rjust(width)


def print_tables(table, args):
    print(f"\nmedians of {args.rounds} rounds of {args.seconds} s, {args.connections} "
          "connections\n")
    print(f"{'':24}" + "".join(f"{t:>9}" for t in ALL) + "   CPU us/unit:"
          + "".join(f"{t:>9}" for t in ALL))
    for kind, row in table.items():
        rate, cpu = row["median"]["rate"], row["median"]["cpu_us"]
        print(f"{kind + ', ' + row['unit']:24}"
              + "".join(cell(rate.get(t), ".0f") for t in ALL) + " " * 15
              + "".join(cell(cpu.get(t), ".1f") for t in ALL))
    print("\nweir to the others, medians of the ratios within a round\n")
    print(f"{'':24}" + "".join(f"{t:>9}" for t in ALL[1:]) + "   CPU:"
          + "".join(f"{t:>9}" for t in ALL[1:]))
    for kind, row in table.items():
        rate, cpu = row["ratio"]["rate"], row["ratio"]["cpu_us"]
        print(f"{kind:24}" + "".join(cell(rate.get(t), ".2f") for t in ALL[1:])
              + " " * 7 + "".join(cell(cpu.get(t), ".2f") for t in ALL[1:]))


def judge(table):
    out = []
    for kind, key, target, sign, want in GOALS:
        if kind not in table:
            continue
        found = table[kind]["ratio"][key][target]
        met = found is not None and (found >= want if sign == ">=" else found <= want)
        out.append({"kind": kind, "figure": key, "to": target, "goal": f"{sign} {want}",
                    "found": found, "met": met})
    return out


def main():
    p = argparse.ArgumentParser()
    for name in ALL + ("json",):
        p.add_argument("--" + name, required=True)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=2)
    p.add_argument("--connections", type=int, default=32)
    p.add_argument("--only", action="append", choices=sorted(KINDS))
    args = p.parse_args()
    kinds = [k for k in KINDS if not args.only or k in args.only]
    with tempfile.TemporaryDirectory() as scripts:
        for name, text in SCRIPTS.items():
            with open(f"{scripts}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        rounds = all_rounds(kinds, args, scripts)
    table = tables(rounds, kinds)
    print_tables(table, args)
    goals = judge(table)
    print("\ngoals\n")
    for g in goals:
        what = "rate" if g["figure"] == "rate" else "CPU"
        print(f"{g['kind'] + ', ' + what + ' to ' + g['to']:36}{g['goal']:>9}"
              f"{cell(g['found'], '.2f')}  {'met' if g['met'] else 'NOT MET'}")
    for n, r in enumerate(rounds):
        for kind, by_target in r.items():
            for t, one in by_target.items():
                if one["errors"]:
                    print(f"errors in round {n + 1}, {kind}, {t}: {one['errors']}")
    with open(args.json, "w", encoding="ascii") as f:
        json.dump({"rounds": rounds, "table": table, "goals": goals}, f, indent=1)


main()
