#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""deploy.py WHAT FILE: parts of deploy/kubernetes/weir.yaml for a test, a word a line.

args  command and arguments of the container    caps  its capabilities
rules  the ConfigMap's first file               path  of the readiness probe
links  "ok" when every name that one object gives to another exists"""
import sys

import yaml

what, path = sys.argv[1:]
with open(path, encoding="utf-8") as f:
    objects = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(f)}
pod = objects["DaemonSet", "weir"]["spec"]["template"]
spec = pod["spec"]
weir = spec["containers"][0]

if what == "args":
    print("\n".join(weir["command"] + weir["args"]))
elif what == "caps":
    caps = weir["securityContext"]["capabilities"]
    assert caps["drop"] == ["ALL"]
    print("\n".join(c.lower() for c in caps["add"]))
elif what == "rules":
    print(next(iter(objects["ConfigMap", "weir-rules"]["data"].values())))
elif what == "path":
    print(weir["readinessProbe"]["httpGet"]["path"])
elif what == "links":
    volumes = {v["name"]: v for v in spec["volumes"]}
    assert {m["name"] for m in weir["volumeMounts"]} == set(volumes)
    assert ("ConfigMap", volumes["rules"]["configMap"]["name"]) in objects
    assert ("ServiceAccount", spec["serviceAccountName"]) in objects
    binding = objects["ClusterRoleBinding", "weir"]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in objects
    for subject in binding["subjects"]:
        assert (subject["kind"], subject["name"]) in objects
    selector = objects["DaemonSet", "weir"]["spec"]["selector"]["matchLabels"]
    assert selector.items() <= pod["metadata"]["labels"].items()
    ports = {p["name"] for p in weir["ports"]}
    for probe in "readinessProbe", "livenessProbe":
        assert weir[probe]["httpGet"]["port"] in ports
    for o in objects.values():
        assert o["metadata"].get("namespace", "weir") == "weir"
    print("ok")
else:
    sys.exit(f"deploy.py: what is {what}?")
