#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is not for a listener passes as if weir were not there.
. "$(dirname "$0")/../lib.sh"

net_up 2
echo_pod 2
{
	service echo 80 1027 10.77.1.2
	ingress echo '' / Prefix echo 80
} >"$work/rules.yaml"
weir_start -f "$work/rules.yaml"
is "the listener itself" pod2 "$(get / | field pod)"

background_in "$NODE" /usr/bin/python3 "$top/tests/tools/origin.py" 8000 node
within 5 node sh -c "ss -Hltn 'sport = :8000' | grep -q ."
is "another TCP port of the node" node \
	"$(client curl -s -m 30 "http://$LISTEN:8000/" | field pod)"
is "a routed connection to the pod, past weir" pod2 \
	"$(client curl -s -m 30 http://10.77.1.2:1027/ | field pod)"
is "a connection of the pod's own to the node" node \
	"$(pod 2 curl -s -m 30 http://10.77.1.1:8000/ | field pod)"
is "a connection of the node's own to the pod" pod2 \
	"$(node curl -s -m 30 http://10.77.1.2:1027/ | field pod)"
is "a closed port is refused, not lost" 7 \
	"$(client curl -s -m 30 "http://$LISTEN:81/" >/dev/null; echo $?)"
ok "ICMP to the node" client busybox ping -c 2 -W 2 "$LISTEN"
ok "ICMP to the pod" client busybox ping -c 2 -W 2 10.77.1.2
ok "ICMP from the pod" pod 2 busybox ping -c 2 -W 2 10.77.0.2
ok "ICMP in fragments" client busybox ping -c 2 -W 2 -s 4000 10.77.1.2

# UDP to the listener's own port number, there and back.
background_in "$NODE" /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.1", 80))
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data.upper(), peer)
'
within 5 node sh -c "ss -Hlun 'sport = :80' | grep -q ."
is "UDP to the listener's port" "HELLO 3000" "$(client /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.sendto(b"hello", ("10.77.0.1", 80))
a = s.recv(100).decode()
s.sendto(b"x" * 3000, ("10.77.0.1", 80))
print(a, len(s.recv(65536)))
')"
is "and the listener still serves" pod2 "$(get / | field pod)"
