#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# docs/bpftool.sh [--check]: the dumps of docs/bpftool.md, anew from a data path that has
# served a few requests in namespaces of its own; with --check the page is left as it is,
# and fields that are in one of the two only are named.
# shellcheck disable=SC1091
. "$(dirname "$0")/../tests/lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
weir_start -f "$top/tests/manifests/guide"
for target in /echo/a /echo/b /other; do
	get "$target" >/dev/null
done
# One connection stays in the midst of a head.
background_in "$CLIENT" /usr/bin/python3 -c "
import socket, time
kept = socket.create_connection(('$LISTEN', 80))
kept.send(b'GET /echo/c HTTP/1.1\r\nHost: example.com\r\n\r\n')
kept.recv(1000)
half = socket.create_connection(('$LISTEN', 80))
half.send(b'GET /echo/')
print('ready', flush=True)
time.sleep(600)" >"$work/clients"
within 5 grep -q ready "$work/clients" || die "no connections"
within 5 sh -c "[ \"\$('$WEIR' flows --state head -o json | jq length)\" = 1 ]" ||
	die "no connection with half a head"

# All of `heads` would be 70 MB: the one in use.
for m in "$PIN"/maps/*; do
	name=$(basename "$m")
	[ "$name" != heads ] || continue
	bpftool -j map dump pinned "$m" >"$work/dump.$name" 2>/dev/null
done
slot=$(jq '.[].formatted.value | select(.state == 1).slot' "$work/dump.flows")
# shellcheck disable=SC2046
bpftool -j map lookup pinned "$PIN/maps/heads" \
	key $(printf '%d %d %d %d' $((slot & 255)) $((slot >> 8 & 255)) $((slot >> 16)) 0) |
	jq '[.]' >"$work/dump.heads"
/usr/bin/python3 - "$top/docs/bpftool.md" "$work" "${1:-}" <<'END'
import json
import pathlib
import re
import sys

page, work, mode = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
WIDTH = 84
SECRET = {"cookie_keys"}
# The entry that is worth looking at; otherwise the first one.
CHOICE = {
    "routes": lambda e: e["value"]["path"] == "/echo",
    "route_stats": lambda e: e["value"]["path"] == "/echo",
    "endpoints": lambda e: e["value"]["text"].endswith(":1027"),
    "endpoint_stats": lambda e: e["value"]["text"].endswith(":1027"),
    "groups": lambda e: e["value"]["name"].endswith(":1027"),
    "flows": lambda e: e["value"]["state"] == 3,
    "heads": lambda e: e["value"]["data"][:3] == [ord(c) for c in "GET"],
    "listen_ports": lambda e: e["value"],
    "counters": lambda e: sum(v["value"] for v in e["values"]),
    "counter_names": lambda e: e["value"]["name"] == "syn_cookie",
    "attachments": lambda e: e["value"]["name"] == "cli0",
}


def entry(name):
    """The chosen entry, None: empty, or no fields that bpftool could name."""
    text = (work / f"dump.{name}").read_text() or "[]"
    found = json.loads(text)
    if isinstance(found, dict):
        return None
    all_of = [e["formatted"] for e in found if "formatted" in e]
    return next(filter(CHOICE.get(name, lambda e: True), all_of), None)


def bytes_only(x):
    """Of a union the first member: addresses as bytes."""
    if isinstance(x, dict):
        if list(x) == [""] and isinstance(x[""], dict):
            x = {"": {"b": x[""]["b"]}}
        return {k: bytes_only(v) for k, v in x.items()}
    return [bytes_only(v) for v in x] if isinstance(x, list) else x


def lines_of(x, indent, secret):
    pad = " " * indent
    if isinstance(x, dict):
        out = ["{"]
        for i, (k, v) in enumerate(x.items()):
            rows = lines_of(v, indent + 4, secret)
            out.append(f'{pad}    "{k}": {rows[0]}')
            out += rows[1:]
            out[-1] += "," if i + 1 < len(x) else ""
        return out + [pad + "}"]
    if isinstance(x, list) and x and isinstance(x[0], dict):
        rows = lines_of(x[0], indent + 4, secret)
        more = [f"{pad}    ..."] if len(x) > 1 else []
        return ["[", f"{pad}    {rows[0]}", *rows[1:-1],
                rows[-1] + ("," if more else ""), *more, pad + "]"]
    if isinstance(x, list) and secret:
        return ["[...]"]
    text = json.dumps(x, separators=(",", ":"))
    room = WIDTH - indent - 20
    if isinstance(x, list) and len(text) > room:
        text = text[:text.rindex(",", 0, room) + 1] + "...]"
    return [text]


def fields(x, at=""):
    if isinstance(x, dict):
        return {f for k, v in x.items() for f in fields(v, f"{at}.{k}")} | {at}
    if isinstance(x, list) and x and isinstance(x[0], dict):
        return fields(x[0], at + "[]")
    return {at}


def shown_fields(block):
    """Of a block of the page: what lines_of() wrote, without its ellipses."""
    body = block.split("\n", 1)[1]
    body = re.sub(r",?\s*\.\.\.", "", body)
    try:
        return fields(json.loads(body))
    except ValueError:
        return {"(not as docs/bpftool.sh writes it)"}


text = page.read_text()
bad = 0


def anew(match):
    global bad
    name, prose, block = match["name"], match["prose"], match["block"]
    e = entry(name)
    if e is None:
        return match[0]
    e = bytes_only(e)
    if mode == "--check":
        for f in sorted(fields(e) ^ shown_fields(block)):
            bad += 1
            print(f"{name}: {f}")
        return match[0]
    command = f"$ bpftool -j map dump pinned /sys/fs/bpf/weir/maps/{name} | jq '.[].formatted'"
    body = "\n".join([command, *lines_of(e, 0, name in SECRET)])
    return f"## {name}\n{prose}```\n{body}\n```\n"


text = re.sub(r"## (?P<name>\w+)\n(?P<prose>(?:(?!```|## )[^\n]*\n)*)```\n(?P<block>.*?)\n```\n",
              anew, text, flags=re.S)
if mode != "--check":
    page.write_text(text)
sys.exit(bad > 0)
END
result=$?
[ "${1:-}" != --check ] || is "docs/bpftool.md has the fields that the maps have" 0 $result
