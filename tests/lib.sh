# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# For end-to-end tests: namespaces, servers, weir and results. Sourced, not run.
#
#	client 10.77.0.2 --- 10.77.0.1 node 10.77.1.1 --- 10.77.1.2 pod2
#	                                    10.77.1.1 --- 10.77.1.3 pod3, ...
#
# Each pod hangs on its own veth, podN in the node, by a route of 32 bits as many
# CNI plugins do it; NET=bridge puts them on a bridge instead. Names carry the
# process id, so runs do not meet. Everything goes away when the script ends.
# With V6=1 the same numbers end IPv6 addresses, and IPv4 is not there at all:
# client fd00:77::2, node fd00:77::1, pods fd00:77:1::N behind fd00:77:1::1.
#
#	DEBUG=1		a shell among the namespaces at the first failure
#	KEEP=1		keep the working directory with all logs

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$top/build}
WEIR=${WEIR:-$BUILD/weir}
test_name=$(basename "$0" .sh)
TAG=weir-$test_name-$$
CLIENT=$TAG-client
NODE=$TAG-node
PIN=/sys/fs/bpf/$TAG
LISTEN=${V6:+[fd00:77::1]}
LISTEN=${LISTEN:-10.77.0.1}
work=$(mktemp -d "${TMPDIR:-/tmp}/$TAG.XXXXXX")
failures=0
pods=
wire_ends=
wires_pid=
weir_pid=
children=

export WEIR_PIN=$PIN

# --- results -----------------------------------------------------------------

pass()
{
	echo "PASS $*"
}

fail()
{
	echo "FAIL $*"
	failures=$((failures + 1))
	if [ -n "${DEBUG:-}" ]; then
		debug_shell
	fi
}

# skip REASON: the whole test cannot run here.
skip()
{
	echo "SKIP $test_name: $*"
	exit 77
}

# is WHAT WANTED FOUND
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		printf '     wanted: %s\n     found:  %s\n' "$2" "$3"
	fi
}

# has WHAT PART FOUND: FOUND has PART in it.
has()
{
	case $3 in
	*"$2"*)	pass "$1" ;;
	*)	fail "$1"
		printf '     wanted: ...%s...\n     found:  %s\n' "$2" "$3" ;;
	esac
}

# ok WHAT COMMAND...
ok()
{
	local what=$1 out

	shift
	if out=$("$@" 2>&1); then
		pass "$what"
	else
		fail "$what"
		printf '     %s\n     %s\n' "$*" "$out"
	fi
}

# die WHY: the test cannot go on.
die()
{
	fail "$*"
	exit 1
}

# within SECONDS COMMAND...: until it succeeds, at most that long on an idle machine;
# one that is busy with other tests, or emulated, is given PATIENCE times that.
within()
{
	local end=$((SECONDS + $1 * ${PATIENCE:-5})) asked ms seconds

	shift
	while :; do
		asked=${EPOCHREALTIME/[.,]/}
		"$@" >/dev/null 2>&1 && return
		[ "$SECONDS" -lt "$end" ] || return 1
		# Asking takes the processor from what is waited for: a quarter of the
		# time is for that, at most.
		ms=$(((${EPOCHREALTIME/[.,]/} - asked) * 3 / 1000))
		ms=$((ms < 20 ? 20 : ms > 3000 ? 3000 : ms))
		printf -v seconds %d.%03d $((ms / 1000)) $((ms % 1000))
		sleep "$seconds"
	done
}

debug_shell()
{
	echo "client: nsenter --net=/run/netns/$CLIENT; node: $NODE; logs: $work" >&2
	bash -i </dev/tty >/dev/tty 2>&1
}

# --- namespaces --------------------------------------------------------------

# in_ns NAMESPACE COMMAND...: without `ip netns exec`, which would hide bpffs.
in_ns()
{
	local ns=$1

	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

client()
{
	in_ns "$CLIENT" "$@"
}

node()
{
	in_ns "$NODE" "$@"
}

# pod_ip N
pod_ip()
{
	[ -n "${V6:-}" ] && echo "fd00:77:1::$1" || echo "10.77.1.$1"
}

pod_ns()
{
	echo "$TAG-pod$1"
}

# pod N COMMAND...
pod()
{
	local ns

	ns=$(pod_ns "$1")
	shift
	in_ns "$ns" "$@"
}

ns_make()
{
	ip netns add "$1" || die "no network namespace $1"
	in_ns "$1" ip link set lo up
	if [ -n "${V6:-}" ]; then
		# addresses are used at once, and nobody else gives any
		in_ns "$1" sysctl -q -w net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.accept_ra=0
	else
		in_ns "$1" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1 2>/dev/null
	fi
	in_ns "$1" sysctl -q -w net.ipv4.tcp_congestion_control=cubic 2>/dev/null
	true
}

# veth NAMESPACE PEER: eth0 there, PEER in the node. With WIRES=1 tests/tools/link
# stands between the two (see wires).
veth()
{
	local ns=$1 peer=$2 end

	if [ -z "${WIRES:-}" ]; then
		ip -n "$ns" link add eth0 type veth peer name "$peer" netns "$NODE"
		return
	fi
	ip -n "$TAG-wires" link add "$peer-a" type veth peer name eth0 netns "$ns"
	ip -n "$TAG-wires" link add "$peer-b" type veth peer name "$peer" netns "$NODE"
	in_ns "$ns" ethtool -K eth0 tx off tso off gso off gro off >/dev/null
	node ethtool -K "$peer" tx off tso off gso off gro off >/dev/null
	for end in a b; do
		in_ns "$TAG-wires" ip link set "$peer-$end" up
		wire_ends="$wire_ends $peer-$end"
	done
}

# wires SEED HOW...: from now on all wires are bad like this (tests/tools/link.c);
# what was under way is lost.
wires()
{
	wires_down
	# shellcheck disable=SC2086
	background_in "$TAG-wires" "$BUILD/tools/link" "$@" -- $wire_ends \
		>"$work/wires.log" 2>&1
	wires_pid=$last
	within 5 grep -q ready "$work/wires.log" || die "link: $(cat "$work/wires.log")"
}

wires_down()
{
	[ -z "$wires_pid" ] || kill "$wires_pid"
	wires_pid=
}

# pod_up N: a pod 10.77.1.N on an interface podN of the node.
pod_up()
{
	local n=$1 ns

	ns=$(pod_ns "$n")
	ns_make "$ns"
	pods="$pods $n"
	veth "$ns" "pod$n"
	if [ -n "${V6:-}" ]; then
		ip -n "$ns" addr add "fd00:77:1::$n/128" dev eth0
		ip -n "$NODE" addr add fd00:77:1::1/128 dev "pod$n"
		ip -n "$NODE" link set "pod$n" up
		ip -n "$ns" link set eth0 up
		ip -n "$NODE" route add "fd00:77:1::$n/128" dev "pod$n" src fd00:77:1::1
		ip -n "$ns" route add fd00:77:1::1/128 dev eth0
		ip -n "$ns" route add default via fd00:77:1::1 dev eth0
		return
	fi
	if [ "${NET:-}" = bridge ]; then
		ip -n "$ns" addr add "10.77.1.$n/24" dev eth0
		ip -n "$NODE" link set "pod$n" master pods0
	else
		ip -n "$ns" addr add "10.77.1.$n/32" dev eth0
		ip -n "$NODE" addr add 10.77.1.1/32 dev "pod$n"
	fi
	ip -n "$NODE" link set "pod$n" up
	ip -n "$ns" link set eth0 up
	if [ "${NET:-}" != bridge ]; then
		ip -n "$NODE" route add "10.77.1.$n/32" dev "pod$n" src 10.77.1.1
		ip -n "$ns" route add 10.77.1.1/32 dev eth0
	fi
	ip -n "$ns" route add default via 10.77.1.1 dev eth0
}

# net_up N...: client, node, and a pod for each N.
net_up()
{
	local n

	[ "$(id -u)" = 0 ] || skip "needs root"
	ns_make "$CLIENT"
	ns_make "$NODE"
	[ -z "${WIRES:-}" ] || ns_make "$TAG-wires"
	veth "$CLIENT" cli0
	ip -n "$CLIENT" link set eth0 up
	ip -n "$NODE" link set cli0 up
	if [ -n "${V6:-}" ]; then
		ip -n "$CLIENT" addr add fd00:77::2/64 dev eth0
		ip -n "$NODE" addr add fd00:77::1/64 dev cli0
		ip -n "$CLIENT" route add default via fd00:77::1
		node sysctl -q -w net.ipv6.conf.all.forwarding=1
	else
		ip -n "$CLIENT" addr add 10.77.0.2/24 dev eth0
		ip -n "$NODE" addr add 10.77.0.1/24 dev cli0
		ip -n "$CLIENT" route add default via 10.77.0.1
		node sysctl -q -w net.ipv4.ip_forward=1
	fi
	if [ "${NET:-}" = bridge ]; then
		ip -n "$NODE" link add pods0 type bridge
		ip -n "$NODE" addr add 10.77.1.1/24 dev pods0
		ip -n "$NODE" link set pods0 up
	fi
	for n in "$@"; do
		pod_up "$n"
	done
}

# --- servers -----------------------------------------------------------------

# background PROGRAM...: a program (no function: its shell would be ended in its
# place) that is ended with the script. Its id is in $last.
background()
{
	"$@" &
	last=$!
	children="$children $last"
}

# background_in NAMESPACE PROGRAM...
background_in()
{
	background nsenter --net="/run/netns/$1" -- "${@:2}"
}

# listening POD PORT: does a socket listen there?
listening()
{
	pod "$1" ss -Hltn "sport = :$2" | grep -q .
}

# echo_pod N [PORT [NAME]]: nginx that says what it was asked, in plain text. LISTEN_HOW
# has more for its `listen`, and may have other directives behind a semicolon.
# /size/FILE is $work/files/size/FILE, PUT /put/FILE writes; the rest is told back.
echo_pod()
{
	local n=$1 port=${2:-1027} dir=$work/pod$1 name=${3:-pod$1}

	mkdir -p "$dir/tmp"
	cat >"$dir/nginx.conf" <<-END
	worker_processes 1;
	user root;
	pid $dir/pid;
	error_log $dir/error.log;
	events { worker_connections 4096; }
	http {
		access_log ${ACCESS_LOG:-off};
		client_body_temp_path $dir/tmp;
		proxy_temp_path $dir/tmp;
		fastcgi_temp_path $dir/tmp;
		uwsgi_temp_path $dir/tmp;
		scgi_temp_path $dir/tmp;
		keepalive_requests 10000000;
		client_max_body_size 0;
		large_client_header_buffers 8 32k;
		sendfile on;
		tcp_nopush on;
		default_type text/plain;
		server {
			listen ${V6:+[::]:}$port reuseport backlog=4096 ${LISTEN_HOW:-};
			root $work/files;
			location / {
				return 200 "pod: $name
	method: \$request_method
	target: \$request_uri
	host: \$http_host
	length: \$http_content_length
	";
			}
			location = /small { return 200 "ok\n"; }
			location /size/ { }
			location /put/ { dav_methods PUT; create_full_put_path on; }
		}
	}
	END
	pod "$n" nginx -c "$dir/nginx.conf" -p "$dir" -e "$dir/error.log" || die "nginx"
	within 5 listening "$n" "$port" || die "nginx does not listen in pod $n"
}

# fallback_pod N [PORT]: one fixed answer, as the guide's fallback service has it.
FALLBACK_TEXT="This is not the path you are looking for. - Fallback service"
fallback_pod()
{
	local n=$1 port=${2:-5678} dir=$work/pod$1

	mkdir -p "$dir"
	cat >"$dir/nginx.conf" <<-END
	worker_processes 1;
	user root;
	pid $dir/pid;
	error_log $dir/error.log;
	events { worker_connections 1024; }
	http {
		access_log ${ACCESS_LOG:-off};
		client_body_temp_path $dir;
		proxy_temp_path $dir;
		fastcgi_temp_path $dir;
		uwsgi_temp_path $dir;
		scgi_temp_path $dir;
		default_type text/plain;
		server {
			listen ${V6:+[::]:}$port;
			location / { return 200 "$FALLBACK_TEXT\n"; }
		}
	}
	END
	pod "$n" nginx -c "$dir/nginx.conf" -p "$dir" -e "$dir/error.log" || die "nginx"
	within 5 listening "$n" "$port" || die "nginx does not listen in pod $n"
}

# origin_pod N [PORT]: tests/tools/origin.py, which can do what nginx would not.
origin_pod()
{
	background_in "$(pod_ns "$1")" /usr/bin/python3 "$top/tests/tools/origin.py" \
		"${2:-8000}" "pod$1" >"$work/origin-$1.log" 2>&1
	within 5 listening "$1" "${2:-8000}" || die "origin.py does not listen"
}

stop_pod()
{
	local pid

	pid=$(cat "$work/pod$1/pid") || return 0
	kill "$pid"
	within 5 not kill -0 "$pid"
}

not()
{
	! "$@"
}

# --- manifests ---------------------------------------------------------------

# service NAME PORT TARGET_PORT ADDRESS...: a Service and its EndpointSlice.
service()
{
	local name=$1 port=$2 target=$3 type=IPv4 a

	shift 3
	[[ ${1:-} != *:* ]] || type=IPv6
	cat <<-END
	---
	apiVersion: v1
	kind: Service
	metadata: {name: $name}
	spec:
	  ports: [{name: http, port: $port, protocol: TCP, targetPort: $target}]
	---
	apiVersion: discovery.k8s.io/v1
	kind: EndpointSlice
	metadata:
	  name: $name-1
	  labels: {kubernetes.io/service-name: $name}
	addressType: $type
	ports: [{name: http, port: $target, protocol: TCP}]
	endpoints:$([ $# -gt 0 ] || echo ' []')
	END
	for a in "$@"; do
		echo "  - {addresses: [\"$a\"], conditions: {ready: true}}"
	done
}

# ingress NAME HOST PATH TYPE SERVICE PORT [STRIP]: one rule; HOST may be ''.
ingress()
{
	cat <<-END
	---
	apiVersion: networking.k8s.io/v1
	kind: Ingress
	metadata:
	  name: $1
	  annotations: {konghq.com/strip-path: "${7:-false}"}
	spec:
	  ingressClassName: kong
	  rules:
	    - host: "$2"
	      http:
	        paths:
	          - path: "$3"
	            pathType: $4
	            backend: {service: {name: $5, port: {number: $6}}}
	END
}

# two_and_three [HOST]: echo pods 2 and 3 are behind /two, with HOST, and /three; both
# with strip-path.
two_and_three()
{
	service two 80 1027 "$(pod_ip 2)"
	service three 80 1027 "$(pod_ip 3)"
	ingress two "${1:-}" /two Prefix two 80 true
	ingress three '' /three Prefix three 80 true
}

# default_backend NAME SERVICE PORT
default_backend()
{
	cat <<-END
	---
	apiVersion: networking.k8s.io/v1
	kind: Ingress
	metadata: {name: $1}
	spec:
	  ingressClassName: kong
	  defaultBackend: {service: {name: $2, port: {number: $3}}}
	END
}

# --- weir --------------------------------------------------------------------

weir()
{
	"$WEIR" "$@"
}

# The counter NAME of the data path; "none" when there is none of that name.
counter()
{
	weir stats -o json |
		jq -r --arg n "$1" '[.[] | select(.name == $n).count] | first // "none"'
}

# The generation of the rules that the data path serves.
generation()
{
	weir status --netns "$NODE" -o json 2>/dev/null | jq .generation
}

# weir_ready [GENERATION]: does it serve a later one?
weir_ready()
{
	[ "$(generation)" -gt "${1:-0}" ]
}

# The interfaces that weir attaches to in this net.
weir_ifaces()
{
	if [ "${NET:-}" = bridge ]; then
		echo "-i cli0 -i pods0"
	else
		echo "-i cli0 -i pod*"
	fi
}

# What the log says is cheaper to ask than `weir status`.
times_ready()
{
	grep -c 'weir: ready' "$work/weir.log"
}

ready_again()
{
	[ "$(times_ready)" -gt "$before" ]
}

# weir_start ARGUMENT...: the agent on the node, until it serves.
weir_start()
{
	local - before

	set -f
	: >>"$work/weir.log"
	before=$(times_ready)
	background "$WEIR" run --netns "$NODE" $(weir_ifaces) -l "$LISTEN:80" "$@" \
		>>"$work/weir.log" 2>&1
	weir_pid=$last
	if ! within 60 ready_again; then
		cat "$work/weir.log"
		die "weir does not start"
	fi
}

weir_stop()
{
	[ -n "$weir_pid" ] || return 0
	kill -TERM "$weir_pid" 2>/dev/null
	within 10 not kill -0 "$weir_pid"
	wait "$weir_pid" 2>/dev/null
	weir_pid=
}

# get PATH [CURL ARGUMENT...]: body of the answer, from the client.
get()
{
	local path=$1

	shift
	client curl -s -m 30 --path-as-is "$@" "http://$LISTEN$path"
}

# status PATH [CURL ARGUMENT...]
status()
{
	get "$@" -o /dev/null -w '%{http_code}'
}

# field NAME: from the answer of an echo pod on stdin.
field()
{
	sed -n "s/^$1: //p"
}

# --- the end -----------------------------------------------------------------

finish()
{
	local r=$? n

	trap - EXIT
	trap '' INT TERM HUP
	weir_stop
	if [ -e "$PIN" ]; then
		"$WEIR" detach --all --netns "$NODE" >/dev/null 2>&1
	fi
	for n in $children; do
		kill "$n" 2>/dev/null
	done
	for n in $pods; do
		[ ! -e "$work/pod$n/pid" ] || stop_pod "$n"
	done 2>/dev/null
	for n in $pods; do
		ip netns del "$(pod_ns "$n")" 2>/dev/null
	done
	[ -z "$wire_ends" ] || ip netns del "$TAG-wires" 2>/dev/null
	ip netns del "$CLIENT" 2>/dev/null
	ip netns del "$NODE" 2>/dev/null
	rm -rf "$PIN"
	if [ -n "${KEEP:-}" ]; then
		echo "logs: $work" >&2
	else
		rm -rf "$work"
	fi
	[ "$r" != 0 ] || [ "$failures" = 0 ] || r=1
	exit "$r"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
