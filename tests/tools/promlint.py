#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""promlint.py < METRICS: the rules of Prometheus' text format and its naming, as promtool
checks them. One line for each breach, and exit 1; silence is good."""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(\{{(.*)\}})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
NOT_BASE = ("_ms", "_us", "_ns", "_milliseconds", "_microseconds", "_minutes",
            "_kilobytes", "_megabytes", "_bits", "_percent")
bad = 0


def say(number, what):
    global bad
    bad += 1
    print(f"line {number}: {what}")


def labels_of(number, text):
    out, at = {}, 0
    while at < len(text or ""):
        m = LABEL.match(text, at)
        if not m:
            say(number, f"labels do not parse: {text[at:at + 60]}")
            break
        if m[1] in out:
            say(number, f"label twice: {m[1]}")
        out[m[1]] = m[2]
        at = m.end()
    return out


def family_of(name, types):
    for end in "_bucket", "_sum", "_count":
        base = name[:-len(end)] if name.endswith(end) else None
        if base and types.get(base) in ("histogram", "summary"):
            return base, end
    return name, ""


types, helps, series, closed, hists = {}, {}, set(), set(), {}
current = None
text = sys.stdin.read()
if not text.endswith("\n"):
    say(0, "no line end at the end")
for number, line in enumerate(text.splitlines(), 1):
    if line.startswith("#"):
        words = line.split(" ", 3)
        if len(words) < 4 or words[1] not in ("HELP", "TYPE"):
            say(number, f"a comment of no meaning: {line}")
            continue
        kind, name = words[1], words[2]
        known = helps if kind == "HELP" else types
        if name in known:
            say(number, f"{kind} twice: {name}")
        known[name] = words[3]
        if current and name != current:
            closed.add(current)
        if name in closed:
            say(number, f"{name} again, after others")
        current = name
        if kind == "TYPE":
            if words[3] not in ("counter", "gauge", "histogram", "summary", "untyped"):
                say(number, f"no such type: {words[3]}")
            if (words[3] == "counter") != name.endswith("_total"):
                say(number, f"counters end in _total, and nothing else: {name}")
            if name.endswith(NOT_BASE):
                say(number, f"not a base unit: {name}")
            if not name.startswith("weir_"):
                say(number, f"not ours: {name}")
        continue
    m = SAMPLE.match(line)
    if not m:
        say(number, f"no sample: {line}")
        continue
    name, family = m[1], family_of(m[1], types)
    if family[0] not in types or family[0] not in helps:
        say(number, f"no HELP and TYPE before {name}")
    if family[0] != current:
        say(number, f"{name} among the lines of {current}")
    labels = labels_of(number, m[3])
    if (name, tuple(sorted(labels.items()))) in series:
        say(number, f"twice: {line}")
    series.add((name, tuple(sorted(labels.items()))))
    try:
        value = float(m[4])
    except ValueError:
        say(number, f"no number: {m[4]}")
        continue
    if types.get(family[0]) in ("counter", "histogram") and value < 0:
        say(number, f"a counter below zero: {line}")
    if types.get(family[0]) == "histogram":
        le = labels.pop("le", None)
        if (le is not None) != (family[1] == "_bucket"):
            say(number, f"le is for buckets, and for all of them: {line}")
        h = hists.setdefault((family[0], tuple(sorted(labels.items()))),
                             {"number": number, "buckets": []})
        if family[1] == "_bucket" and le is not None:
            h["buckets"].append((float(le), value))
        else:
            h[family[1]] = value
for (name, labels), h in hists.items():
    where = f"{name}{dict(labels)}"
    buckets = h["buckets"]
    if not buckets or buckets[-1][0] != float("inf"):
        say(h["number"], f"no +Inf at the end: {where}")
        continue
    if buckets != sorted(buckets) or len({b for b, _ in buckets}) != len(buckets):
        say(h["number"], f"buckets out of order: {where}")
    if any(a[1] > b[1] for a, b in zip(buckets, buckets[1:])):
        say(h["number"], f"buckets count down: {where}")
    if h.get("_count") != buckets[-1][1]:
        say(h["number"], f"_count is not the last bucket: {where}")
    if "_sum" not in h or (h["_sum"] == 0) < (h.get("_count") == 0):
        say(h["number"], f"_sum does not fit: {where}")
for name in set(types) ^ set(helps):
    say(0, f"HELP or TYPE without the other: {name}")
sys.exit(bad != 0)
