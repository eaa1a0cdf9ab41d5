#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random rule sets and requests: `weir explain --batch` against a plain model.

The model below tries every rule on every request and sorts what matches. It
shares nothing with the route table, so an error in either is seen.

    run_random.py [--weir PATH] [--dialect DIALECT] [--seed N] [--rounds N]
                  [--with FEATURE...]
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = set(b"!*'();:@&=+$,/?%#[]")  # stay encoded

HOSTS = ["a.example", "b.a.example", "c.b.a.example", "*.a.example", "*.b.a.example",
         "*.example", "x-1.example.org", ""]
ASKED = ["a.example", "A.Example", "b.a.example", "c.b.a.example", "z.b.a.example",
         "d.c.b.a.example", "a.example:80", "a.example.", "other", ".a.example",
         "10.0.0.1", "[::1]:80", None]
PIECES = ["a", "b", "ab", "a.b", "aa", "~", "a b", "%"]
PATTERNS = ["/a", "/a+", "/[ab]+$", "/a/.*", "/(a|b)/", "/a.b", "/(?i:A)b?", "/.*b", "/a??",
            "/[^/]+/b", "/a|/ab", "/ab|/a", r"/a\.b$", "/~", "/(a|ab)(/|b)", "/a{2}",
            "/(a/)*b", "/.{1,3}?/", "/(?:a|b|)/?$", r"/\w+/~"]
ALIASES = ["b.a.example", "*.a.example", "a.*", "b.a.*", "*.example"]
METHODS = ["GET", "POST", "PUT", "DELETE"]
HEADERS = {"x-a": ["1", "2", "3"], "x-b": ["1", "long value"]}
HEADER_PATTERNS = ["^[12]$", "l.*e$", r"\d", "g v", "(1|long)"]


def configured(text):
    """A configured path as requests are matched."""
    return normal(text.encode())[0].decode("latin-1")


def normal(raw):
    """Path and query of a target in normal form, None for 400."""
    path, mark, query = raw.partition(b"?")
    out = bytearray()
    i = 0
    while i < len(path):
        if path[i] != 0x25:
            out.append(path[i])
            i += 1
            continue
        try:
            byte = int(path[i + 1:i + 3].decode("ascii"), 16)
        except ValueError:
            return None
        if len(path) < i + 3 or byte == 0:
            return None
        out += b"%%%02X" % byte if byte in KEPT else bytes([byte])
        i += 3
    return clean(bytes(out), mark + query)


def clean(path, query):
    """Merge slashes and remove dot segments in one walk."""
    segments = []
    parts = path.split(b"/")[1:]
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        if part == b"..":
            if not segments:
                return None
            segments.pop()
        if part in (b".", b"..", b""):
            if last:
                segments.append(b"")
            continue
        segments.append(part)
    return b"/" + b"/".join(segments), query


def takes_value(conditions, value):
    """One of them; a pattern may match anywhere."""
    return value is not None and any(
        re.search(c[2:], value) if c.startswith("~*") else c == value for c in conditions)


class Rule:
    def __init__(self, ingress, host, path, kind):
        self.ingress, self.host, self.path, self.kind = ingress, host, path, kind
        if kind == "regex":
            self.match = path
            self.pattern = re.compile("(?:%s)" % path, re.A)
            return
        self.match = configured(path)
        if kind == "Prefix" and self.match.endswith("/"):
            self.match = self.match[:-1]

    def takes_host(self, host):
        if not self.host:
            return True
        if self.host.startswith("*."):
            label, _, rest = host.partition(".")
            return bool(label) and rest == self.host[2:]
        return host == self.host

    def takes_path(self, path):
        if self.kind == "regex":
            return self.pattern.match(path) is not None
        if self.kind == "Exact":
            return path == self.match
        if self.kind == "Prefix":
            return path == self.match or path.startswith(self.match + "/")
        return path.startswith(self.match)

    def takes(self, host, path, method, headers):
        ing = self.ingress
        if ing["methods"] and method not in ing["methods"]:
            return False
        for name, values in ing["headers"].items():
            if not takes_value(values, headers.get(name)):
                return False
        return self.takes_host(host) and self.takes_path(path)

    def order(self):
        """Less goes first; Python's sort keeps older rules before younger."""
        ing = self.ingress
        host = 2 if not self.host else 1 if self.host.startswith("*.") else 0
        return (host, -len(self.host), -bool(ing["methods"]) - bool(ing["headers"]),
                -len(ing["headers"]), {"Exact": 0, "regex": 1}.get(self.kind, 2),
                -ing["priority"] if self.kind == "regex" else 0, -max(1, len(self.match)))

    def taken(self, path):
        """How much of a path it matches."""
        if self.kind == "regex":
            return self.pattern.match(path.decode("latin-1")).end()
        return len(self.match)


class KongRule:
    """An entry of Kong's traditional router: one path of one rule, all its hosts."""

    def __init__(self, rule, hosts, kind, text):
        self.rule, self.ingress, self.hosts = rule, rule.ingress, hosts
        self.is_regex, self.text = kind == "regex", text
        if self.is_regex:
            self.pattern = re.compile("(?:%s)" % text, re.A)

    @staticmethod
    def entries(rule):
        hosts = [h for h in [rule.host] + rule.ingress["aliases"] if h]
        kind, match = rule.kind, rule.match
        if kind == "regex":
            found = [("regex", match)]
        elif kind == "Exact":
            found = [("regex", match + "$")]
        elif kind == "Prefix":
            found = [("string", match + "/")]
            found += [("regex", match + "$")] if match else []
        else:
            found = [("string", match)]
        return [KongRule(rule, hosts, *f) for f in found]

    def host(self, asked):
        """The host of the rule that fits, the best one, or None."""
        fits = [h for h in self.hosts if re.fullmatch(
            re.escape(h).replace(r"\*", ".+"), asked)]
        fits.sort(key=host_order)
        return "" if not self.hosts else fits[0] if fits else None

    def takes(self, host, path, method, headers):
        ing = self.ingress
        if ing["methods"] and method not in ing["methods"]:
            return False
        if not all(takes_value(v, headers.get(n)) for n, v in ing["headers"].items()):
            return False
        if self.host(host) is None:
            return False
        return bool(self.pattern.match(path)) if self.is_regex else path.startswith(self.text)

    def order(self, asked):
        """Kong's order, then where it has none our own."""
        ing = self.ingress
        kinds = [bool(self.hosts), bool(ing["headers"]), bool(ing["methods"])]
        is_plain = self.hosts and not any("*" in h for h in self.hosts)
        # a path without signs in it is no pattern to us, and so a byte shorter
        length = len(self.text)
        if self.is_regex and self.rule.kind != "regex" and not re.search(
                r"[.+*?()\[\]{}|^$\\]", self.text[:-1]):
            length -= 1
        kind = {"Exact": 0, "regex": 1}.get(self.rule.kind, 2)
        return (-sum(kinds), [not k for k in kinds], not is_plain, not self.is_regex,
                -len(ing["headers"]), -ing["priority"] if self.is_regex else 0,
                0 if self.is_regex else -len(self.text), self.rule.kind == "default",
                host_order(self.host(asked)), kind, 0 if kind == 0 else -length)

    def taken(self, path):
        if self.is_regex:
            return self.pattern.match(path.decode("latin-1")).end()
        return len(self.text)


def host_order(host):
    kind = 3 if not host else 1 if host[0] == "*" else 2 if host[-1] == "*" else 0
    return (kind, -len(host))


def random_path(rng, deep=4):
    path = "".join("/" + rng.choice(PIECES[:6]) for _ in range(rng.randrange(deep)))
    return path + rng.choice(["", "/"]) or "/"


def random_ingress(rng, number, features):
    ing = {"name": "i%d" % number, "namespace": rng.choice(["default", "shop"]),
           "created": rng.choice([None, "2024-01-0%dT00:00:00Z" % rng.randint(1, 4)]),
           "strip": rng.random() < 0.3, "methods": [], "headers": {}, "paths": [], "priority": 0,
           "default": rng.random() < 0.15, "aliases": []}
    if "aliases" in features and rng.random() < 0.3:
        ing["aliases"] = rng.sample(ALIASES, rng.randint(1, 2))
    if "criteria" in features and rng.random() < 0.4:
        ing["methods"] = rng.sample(METHODS, rng.randint(0, 2))
    if "criteria" in features and rng.random() < 0.4:
        for name in rng.sample(sorted(HEADERS), rng.randint(1, 2)):
            ing["headers"][name] = rng.sample(HEADERS[name], rng.randint(1, 2))
    if "regex" in features and ing["headers"] and rng.random() < 0.5:
        name = rng.choice(sorted(ing["headers"]))
        ing["headers"][name] = ["~*" + rng.choice(HEADER_PATTERNS)]
    if "regex" in features:
        ing["priority"] = rng.choice([0, 0, 1, -1])
        for _ in range(rng.randint(0, 3)):
            ing["paths"].append((rng.choice(HOSTS), rng.choice(PATTERNS), "regex"))
    for _ in range(rng.randint(0 if ing["default"] else 1, 5)):
        kind = rng.choice(["Exact", "Prefix", "ImplementationSpecific"])
        path = random_path(rng)
        if path.startswith("/~"):  # a regular expression when ImplementationSpecific
            kind = "Prefix"
        ing["paths"].append((rng.choice(HOSTS), path, kind))
    return ing


def backend(number):
    return {"service": {"name": "s%d" % number, "port": {"number": 80}}}


def ingress_object(number, ing):
    annotations = {}
    if ing["strip"]:
        annotations["konghq.com/strip-path"] = "true"
    if ing["methods"]:
        annotations["konghq.com/methods"] = ",".join(ing["methods"])
    for name, values in ing["headers"].items():
        annotations["konghq.com/headers." + name] = ",".join(values)
    if ing["aliases"]:
        annotations["konghq.com/host-aliases"] = ",".join(ing["aliases"])
    if ing["priority"]:
        annotations["konghq.com/regex-priority"] = str(ing["priority"])
    meta = {"name": ing["name"], "namespace": ing["namespace"],
            "annotations": annotations}
    if ing["created"]:
        meta["creationTimestamp"] = ing["created"]
    spec = {"ingressClassName": "kong"}
    if ing["default"]:
        spec["defaultBackend"] = backend(number)
    if ing["paths"]:
        spec["rules"] = []
    for host, path, kind in ing["paths"]:
        if kind == "regex":
            path, kind = "/~" + path, "ImplementationSpecific"
        rule = {"http": {"paths": [{"path": path, "pathType": kind,
                                    "backend": backend(number)}]}}
        if host:
            rule["host"] = host
        spec["rules"].append(rule)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta,
            "spec": spec}


def random_target(rng, rules):
    """Mostly near a configured path, so that something is found."""
    near = [r.path for r in rules if r.kind != "regex"]
    path = rng.choice(near) if near and rng.random() < 0.7 else random_path(rng)
    path += rng.choice(["", "", "/", "b", "/a", "/./a", "/../a", "//b", "%2F", "/%2e"])
    if rng.random() < 0.2:
        path = path.replace("a", "%61", 1)
    path = path.replace(" ", "%20")
    return path + rng.choice(["", "", "?q=1", "?"])


def random_request(rng, rules):
    headers = {name: rng.choice(values) for name, values in HEADERS.items()
               if rng.random() < 0.5}
    return {"method": rng.choice(METHODS), "host": rng.choice(ASKED),
            "target": random_target(rng, rules), "headers": headers}


def bare_host(host):
    host = (host or "").lower()
    if not host.startswith("["):
        host = host.partition(":")[0]
    return host[:-1] if host.endswith(".") else host


def escaped(path):
    """Bytes outside of ASCII never come raw here, so they are encoded again."""
    return b"".join(bytes([c]) if 0x20 < c < 0x7f else b"%%%02X" % c for c in path)


def stripped(rule, path):
    if not rule.ingress["strip"]:
        return path
    rest = path[rule.taken(path):]
    for dots in (b"../", b"./"):
        if rest.startswith(dots):
            rest = rest[len(dots):]
            break
    if rest in (b".", b".."):
        rest = b""
    return rest if rest.startswith(b"/") else b"/" + rest


def answer(rules, default, request):
    """What explain should say."""
    raw = request["target"].encode()
    found = normal(raw)
    host = request["host"]
    if found is None:
        return {"verdict": "reject", "status": 400}
    path, query = found
    text = path.decode("latin-1")
    fits = [r for r in rules if r.takes(bare_host(host), text, request["method"],
                                        request["headers"])]
    if fits:
        best = sorted(fits, key=Rule.order)[0]
        return {"verdict": "route",
                "ingress": "%(namespace)s/%(name)s" % best.ingress,
                "target": (escaped(stripped(best, path)) + query).decode()}
    if default:
        return {"verdict": "fallback", "ingress": "%(namespace)s/%(name)s" % default,
                "target": (escaped(path) + query).decode()}
    return {"verdict": "reply", "status": 404}


def kong_answer(entries, request):
    """What explain --dialect kong should say; a default backend is a rule there."""
    found = normal(request["target"].encode())
    host = bare_host(request["host"])
    if found is None:
        return {"verdict": "reject", "status": 400}
    path, query = found
    fits = [e for e in entries if e.takes(host, path.decode("latin-1"), request["method"],
                                          request["headers"])]
    if not fits:
        return {"verdict": "reply", "status": 404}
    best = sorted(fits, key=lambda e: e.order(host))[0]
    is_default = best.rule.kind == "default"
    way = path if is_default else stripped(best, path)
    return {"verdict": "fallback" if is_default else "route",
            "ingress": "%(namespace)s/%(name)s" % best.ingress,
            "target": (escaped(way) + query).decode()}


def by_age(ing):
    return (ing["created"] or "9", "%(namespace)s/%(name)s" % ing)


def one_round(weir, seed, features, dialect):
    rng = random.Random(seed)
    ingresses = [random_ingress(rng, n, features) for n in range(rng.randint(1, 8))]
    objects = [ingress_object(n, ing) for n, ing in enumerate(ingresses)]
    flags = []
    for n, ing in enumerate(ingresses):
        flags += ["--endpoint", "%s/s%d=192.0.2.1:80" % (ing["namespace"], n)]
    ordered = sorted(ingresses, key=by_age)
    rules = [Rule(ing, *p) for ing in ordered for p in ing["paths"]]
    default = next((ing for ing in ordered if ing["default"]), None)
    requests = [random_request(rng, rules) for _ in range(200)]
    entries = [e for r in rules for e in KongRule.entries(r)]
    if default:
        entries += KongRule.entries(Rule(default, "", "/", "default"))
    answers = ask(weir, objects, flags + ["--dialect", dialect], requests)
    wrong = 0
    for request, got in zip(requests, answers):
        want = answer(rules, default, request)
        if dialect == "kong":
            want = kong_answer(entries, request)
        if any(got.get(k) != v for k, v in want.items()):
            wrong += 1
            print("seed %d: %s\n  model: %s\n  weir:  %s"
                  % (seed, json.dumps(request), json.dumps(want), json.dumps(got)))
    return wrong


def ask(weir, objects, flags, requests):
    lines = "".join(json.dumps(dict(r, version="1.0" if r["host"] is None else "1.1"))
                    + "\n" for r in requests)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, f)
        f.flush()
        run = subprocess.run([weir, "-q", "explain", "-f", f.name] + flags + ["--batch"],
                             input=lines, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit("explain failed: " + run.stderr.strip())
    return [json.loads(line) for line in run.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=os.path.join(HERE, "../../build/weir"))
    parser.add_argument("--dialect", choices=["kubernetes", "kong"], default="kubernetes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--with", dest="features", action="append", default=[],
                        choices=["criteria", "regex", "aliases"],
                        help="aliases: of --dialect kong")
    args = parser.parse_args()
    wrong = sum(one_round(args.weir, args.seed + n, args.features, args.dialect)
                for n in range(args.rounds))
    print("%d rounds of 200 requests, %d wrong" % (args.rounds, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
