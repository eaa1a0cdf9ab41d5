#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tests/bench/manifests.py ROUTES DIR [--format yaml|json] [--regexes N]

Manifests of a large installation, the same ones at every call: ROUTES rules, five
to a host and one Ingress to a host, in files of 500 Ingresses; a Service for every
hundred rules, and its EndpointSlice in a file of its own below DIR/endpoints. Every
N-th host has a regular expression among its rules.

Host i is h<i>.bench.example; its paths are /api/<i>/v0 ... /api/<i>/v4, Prefix.
"""
import argparse
import json
import os

PER_HOST, PER_FILE, PER_SERVICE = 5, 500, 100

INGRESS = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: bench-{host}
  namespace: bench
  creationTimestamp: "2024-01-01T00:00:00Z"
spec:
  ingressClassName: kong
  rules:
  - host: h{host}.bench.example
    http:
      paths:
"""
PATH = """      - path: {path}
        pathType: {kind}
        backend:
          service:
            name: s{service}
            port:
              number: 80
"""
SERVICE = """---
apiVersion: v1
kind: Service
metadata:
  name: s{n}
  namespace: bench
spec:
  ports:
  - name: http
    port: 80
"""
SLICE = """apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: s{n}-0
  namespace: bench
  labels:
    kubernetes.io/service-name: s{n}
addressType: IPv4
ports:
- name: http
  port: 1027
endpoints:
- addresses: ["{address}"]
"""


def paths(host, count, regexes):
    for k in range(count):
        if regexes and not k and host % regexes == 0:
            yield f"/~/re/{host}/[0-9]+$", "ImplementationSpecific"
        else:
            yield f"/api/{host}/v{k}", "Prefix"


def as_json(host, rules):
    backend = lambda n: {"service": {"name": f"s{n}", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": f"bench-{host}", "namespace": "bench",
                     "creationTimestamp": "2024-01-01T00:00:00Z"},
        "spec": {"ingressClassName": "kong", "rules": [
            {"host": f"h{host}.bench.example", "http": {"paths": [
                {"path": path, "pathType": kind, "backend": backend(n)}
                for path, kind, n in rules]}}]}}


def as_yaml(host, rules):
    return INGRESS.format(host=host) + "".join(
        PATH.format(path=path, kind=kind, service=n) for path, kind, n in rules)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("routes", type=int)
    p.add_argument("dir")
    p.add_argument("--format", choices=["yaml", "json"], default="yaml")
    p.add_argument("--regexes", type=int, default=0, metavar="N")
    opt = p.parse_args()

    os.makedirs(f"{opt.dir}/endpoints", exist_ok=True)
    hosts = []
    for first in range(0, opt.routes, PER_HOST):
        host, count = first // PER_HOST, min(PER_HOST, opt.routes - first)
        hosts.append((host, [
            (path, kind, (first + k) // PER_SERVICE)
            for k, (path, kind) in enumerate(paths(host, count, opt.regexes))]))
    for first in range(0, len(hosts), PER_FILE):
        name = f"{opt.dir}/ingress-{first // PER_FILE:03}.{opt.format}"
        with open(name, "w", encoding="ascii") as f:
            if opt.format == "json":
                items = [as_json(*h) for h in hosts[first:first + PER_FILE]]
                json.dump({"apiVersion": "v1", "kind": "List", "items": items}, f)
            else:
                f.writelines(as_yaml(*h) for h in hosts[first:first + PER_FILE])
    services = range((opt.routes + PER_SERVICE - 1) // PER_SERVICE)
    with open(f"{opt.dir}/services.yaml", "w", encoding="ascii") as f:
        f.writelines(SERVICE.format(n=n) for n in services)
    for n in services:
        with open(f"{opt.dir}/endpoints/s{n}.yaml", "w", encoding="ascii") as f:
            f.write(SLICE.format(n=n, address=f"10.77.1.{2 + n % 200}"))


main()
