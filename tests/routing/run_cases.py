#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ask `weir explain --batch` about the rule sets of routing.json.

Each rule set becomes manifests, each request a line; verdict, Ingress, rule,
backend and target are compared. The file knows Kong's answers and those of
the Kubernetes documentation; where ours differ, OURS says so and why. With
--dialect kong the answers of Kong's traditional router are what counts, and
OURS_KONG says where it is another one.

    run_cases.py [--weir PATH] [--cases FILE] [--dialect DIALECT] [-v] [ID...]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# Rule sets whose whole meaning needs a full gateway: without one the kernel
# answers 503 wherever one of their rules matches.
NEEDS_GATEWAY = {
    "kph-10": "konghq.com/path on a Service",
    "kph-11": "konghq.com/path on a Service",
    "kph-14": "konghq.com/path on a Service",
    "kph-17": "konghq.com/path on a Service",
    "kph-18": "konghq.com/path on a Service",
    "kph-19": "konghq.com/path on a Service",
    "kph-21": "konghq.com/path on a Service",
}

NONE = {"outcome": "none"}
JOE = {"outcome": "route", "ingress": "a", "namespace": "default",
       "backend": "joe:80", "upstream_path": "/~joe", "rule": 0, "path": 0}

# Case -> (why our answer is another one, the answer; None: not asked).
OURS = {
    "k8sdoc-wildcard-02-kong": ("a wildcard is one label", NONE),
    "krs-wild-plain-03": ("a wildcard is one label", NONE),
    "krs-wild-02-kong0": ("no wildcard at the end of a host", NONE),
    "krs-wild-03-kong0": ("no wildcard at the end of a host", NONE),
    "trap-exact-prefix-same-01-kong0": ("Exact goes before Prefix", None),
    "host-wild-port-06-kong": ("hosts compare without case", None),
    "encoded-route-01-kong0": ("configured paths are decoded like requests", JOE),
    "encoded-route-02-kong0": ("configured paths are decoded like requests", JOE),
    "kuri-16": ("a byte that came raw stays raw", {
        "outcome": "route", "ingress": "a", "namespace": "default",
        "backend": "s:80", "upstream_path": "/a{b}|c", "rule": 0, "path": 0}),
    "kuri-25-kong1": ("any byte may stand in a path: see kuri-25-kong0", None),
}

# The same with --dialect kong, for Kong's answers.
OURS_KONG = {key: OURS[key] for key in ("host-wild-port-06-kong", "kuri-16")}


# Of these `weir check` cannot know, or says so in other words.
QUIET = {"kuri"}


def ingress_object(ing):
    meta = {"name": ing["name"], "namespace": ing["namespace"],
            "creationTimestamp": ing["created"]}
    if ing.get("annotations"):
        meta["annotations"] = ing["annotations"]
    spec = {}
    if ing.get("class") is not None:
        spec["ingressClassName"] = ing["class"]
    if ing.get("defaultBackend"):
        spec["defaultBackend"] = backend_object(ing["defaultBackend"])
    rules = []
    for rule in ing.get("rules") or []:
        entry = {"http": {"paths": [
            {"path": p["path"], "pathType": p["pathType"],
             "backend": backend_object(p["backend"])} for p in rule["paths"]]}}
        if rule.get("host"):
            entry["host"] = rule["host"]
        rules.append(entry)
    if rules:
        spec["rules"] = rules
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": meta, "spec": spec}


def backend_object(backend):
    key = "number" if isinstance(backend["port"], int) else "name"
    return {"service": {"name": backend["service"],
                        "port": {key: backend["port"]}}}


def service_objects(svc):
    """A Service that the rule set describes, with its EndpointSlices."""
    meta = {"name": svc["name"], "namespace": svc["namespace"]}
    if svc.get("annotations"):
        meta["annotations"] = svc["annotations"]
    spec = {key: svc[key] for key in ("type", "clusterIP", "ports") if key in svc}
    out = [{"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}]
    for i, piece in enumerate(svc.get("endpointSlices") or []):
        out.append(dict(piece, apiVersion="discovery.k8s.io/v1", kind="EndpointSlice",
                        metadata={"name": "%s-%d" % (svc["name"], i),
                                  "namespace": svc["namespace"],
                                  "labels": {"kubernetes.io/service-name": svc["name"]}}))
    return out


def plugin_object(plugin):
    meta = {"name": plugin["name"]}
    if plugin["kind"] == "KongPlugin":
        meta["namespace"] = plugin.get("namespace", "default")
    return {"apiVersion": "configuration.konghq.com/v1", "kind": plugin["kind"],
            "metadata": meta, "plugin": plugin["plugin"],
            "config": plugin.get("config") or {}}


def class_objects(ruleset):
    meta = {"name": "kong"}
    if ruleset.get("ingress_class_kong_is_default"):
        meta["annotations"] = {"ingressclass.kubernetes.io/is-default-class": "true"}
    spec = {"controller": "ingress-controllers.konghq.com/kong"}
    out = [{"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": meta, "spec": spec}]
    if ruleset.get("enableLegacyRegexDetection"):
        spec["parameters"] = {"apiGroup": "configuration.konghq.com",
                              "kind": "IngressClassParameters", "name": "kong",
                              "namespace": "default", "scope": "Namespace"}
        out.append({"apiVersion": "configuration.konghq.com/v1alpha1",
                    "kind": "IngressClassParameters",
                    "metadata": {"name": "kong", "namespace": "default"},
                    "spec": {"enableLegacyRegexDetection": True}})
    return out


def backends_of(ruleset):
    """(namespace, service) -> ports, of all rules and default backends."""
    found = {}
    for ing in ruleset["ingresses"]:
        backends = [p["backend"] for rule in ing.get("rules") or []
                    for p in rule["paths"]]
        backends += [ing["defaultBackend"]] if ing.get("defaultBackend") else []
        for b in backends:
            found.setdefault((ing["namespace"], b["service"]), set()).add(b["port"])
    return found


def manifests(ruleset):
    """The objects, and --endpoint for each Service that has no slice of its own."""
    objects = class_objects(ruleset)
    objects += [ingress_object(i) for i in ruleset["ingresses"]]
    objects += [plugin_object(p) for p in ruleset.get("plugins") or []]
    described = {(s["namespace"], s["name"]): s for s in ruleset.get("services") or []}
    flags = []
    for (ns, name), ports in sorted(backends_of(ruleset).items()):
        svc = described.get((ns, name), {"namespace": ns, "name": name})
        if "ports" not in svc:
            svc = dict(svc, ports=[{"name": "p%s" % p, "port": p}
                                   for p in sorted(ports)])
        objects += service_objects(svc)
        if "endpointSlices" not in svc:
            flags += ["--endpoint", "%s/%s=192.0.2.1:8080" % (ns, name)]
    return objects, flags


def question(case):
    request = case["request"]
    out = {"id": case["id"], "method": request["method"], "host": request["host"],
           "target": request["path"], "headers": request.get("headers") or {}}
    if request["host"] is None:
        out["version"] = "1.0"
    if request.get("scheme"):
        out["scheme"] = request["scheme"]
    return out


def port_number(ruleset, ns, service, port):
    """Explain names ports by number."""
    for svc in ruleset.get("services") or []:
        if (svc["namespace"], svc["name"]) == (ns, service):
            for p in svc.get("ports") or []:
                if p.get("name") == port:
                    return p["port"]
    return port


def expected_answer(ruleset, expect):
    """What explain should say, as far as the case says it."""
    outcome = expect["outcome"]
    if outcome == "none":
        return {"verdict": "reply", "status": 404}
    if outcome == "bad_request":
        return {"verdict": "reject", "status": 400}
    if outcome == "reply":
        return {"verdict": "reply", "status": expect["status"]}
    if outcome == "gateway":
        return {"verdict": "reply", "status": 503}
    want = {"verdict": outcome}
    service, port = expect["backend"].rsplit(":", 1)
    ns = expect.get("namespace", ruleset["ingresses"][0]["namespace"])
    want["backend"] = "%s/%s:%s" % (ns, service,
                                    port_number(ruleset, ns, service, port))
    if "ingress" in expect:
        want["ingress"] = "%s/%s" % (ns, expect["ingress"])
    if expect.get("upstream_path") is not None:
        want["target"] = expect["upstream_path"]
    if "rule" in expect:
        ing = [i for i in ruleset["ingresses"]
               if (i["namespace"], i["name"]) == (ns, expect["ingress"])][0]
        rule = ing["rules"][expect["rule"]]
        path = rule["paths"][expect["path"]]
        want["rule"] = {"path": path["path"], "pathType": path["pathType"]}
        if "konghq.com/host-aliases" not in (ing.get("annotations") or {}):
            want["rule"]["host"] = rule.get("host", "")
    return want


def is_kongs(case):
    """Is this what the traditional router answers, and always?"""
    return case["dialect"] != "k8s" and (
        case["flavor"] == "any" or "traditional" in case["flavor"])


def expectation(ruleset, case, dialect):
    """Our answer to a case, or None when it is not asked."""
    ours = OURS_KONG if dialect == "kong" else OURS
    if dialect == "kong" and not is_kongs(case):
        return None
    if case["id"] in ours:
        expect = ours[case["id"]][1]
        return None if expect is None else expected_answer(ruleset, expect)
    want = expected_answer(ruleset, case["expect"])
    if ruleset["ruleset_id"] in NEEDS_GATEWAY and case["expect"]["outcome"] == "route":
        return {"verdict": "reply", "status": 503}
    return want


def differences(want, got):
    out = []
    for key, value in want.items():
        answer = got.get(key)
        if key == "rule":
            answer = {k: (answer or {}).get(k) or "" for k in value}
        if answer != value:
            out.append("%s is %r, not %r" % (key, answer, value))
    return out


def run_weir(weir, ruleset, before, after, text=""):
    objects, flags = manifests(ruleset)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, f)
        f.flush()
        return subprocess.run([weir] + before + ["-f", f.name] + flags + after,
                              input=text, capture_output=True, text=True, check=False)


def explain(weir, ruleset, cases, dialect):
    questions = "".join(json.dumps(question(c)) + "\n" for c in cases)
    run = run_weir(weir, ruleset, ["-q", "explain", "--dialect", dialect], ["--batch"],
                   questions)
    if run.returncode:
        return None, run.stderr.strip()
    answers = {}
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        answers[answer.get("id")] = answer
    return answers, ""


def kong_differs(ruleset):
    """Has the traditional router another answer, none, or a random one?"""
    hosts = [rule.get("host") or "" for ing in ruleset["ingresses"]
             for rule in ing.get("rules") or []]
    return any(h.startswith("*.") for h in hosts) or any(
        c["id"] in OURS or "traditional" in c.get("undefined_in", []) +
        c.get("config_rejected_in", []) for c in ruleset["requests"])


def check_warning(weir, ruleset):
    """1 when `weir check` warns of Kong's router without need, or does not."""
    name = ruleset["ruleset_id"]
    run = run_weir(weir, ruleset, ["check"], [])
    warns = "traditional router differs" in run.stderr
    if run.returncode or (name not in QUIET and warns != kong_differs(ruleset)):
        print("FAIL %s: check %s" % (name, "warns of Kong's router without need" if warns
                                     else "fails" if run.returncode
                                     else "does not warn of Kong's router"))
        return 1
    return 0


def check_ruleset(weir, ruleset, dialect, only, verbose):
    cases = [c for c in ruleset["requests"]
             if not only or c["id"] in only or ruleset["ruleset_id"] in only]
    if not cases:
        return 0, 0, 0
    answers, problem = explain(weir, ruleset, cases, dialect)
    if answers is None:
        print("FAIL %s: %s" % (ruleset["ruleset_id"], problem))
        return len(cases), len(cases), 0
    failed = skipped = 0
    for case in cases:
        want = expectation(ruleset, case, dialect)
        if want is None:
            skipped += 1
            continue
        wrong = differences(want, answers.get(case["id"], {}))
        if wrong:
            failed += 1
            print("FAIL %s: %s" % (case["id"], "; ".join(wrong)))
        elif verbose:
            print("ok   %s" % case["id"])
    return len(cases), failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weir", default=os.path.join(HERE, "../../build/weir"))
    parser.add_argument("--cases", default=os.path.join(HERE, "routing.json"))
    parser.add_argument("--dialect", choices=["kubernetes", "kong"], default="kubernetes")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("only", nargs="*", metavar="ID")
    args = parser.parse_args()
    with open(args.cases, encoding="utf-8") as f:
        rulesets = json.load(f)["rulesets"]
    total = failed = skipped = wrong = 0
    for ruleset in rulesets:
        t, n, s = check_ruleset(args.weir, ruleset, args.dialect, set(args.only),
                                args.verbose)
        total, failed, skipped = total + t, failed + n, skipped + s
        if args.dialect == "kubernetes" and not args.only:
            wrong += check_warning(args.weir, ruleset)
    print("%d cases, %d failed, %d of another dialect not asked"
          % (total, failed, skipped))
    if args.dialect == "kubernetes" and not args.only and not wrong:
        print("ok   warnings of Kong's router: %d rule sets" % len(rulesets))
    return 1 if failed or wrong or not total else 0


if __name__ == "__main__":
    sys.exit(main())
