#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The scenario of Kong's guide "configuring a fallback service", with weir in the
# place of the gateway: a client, a node and two pods, each a network namespace.
# Every command is really run, and what it says is shown as it comes.
. "$(dirname "$0")/lib.sh"

bold=
plain=
if [ -t 1 ]; then
	bold=$(tput bold 2>/dev/null)
	plain=$(tput sgr0 2>/dev/null)
fi

say()
{
	printf '\n%s# %s%s\n' "$bold" "$*" "$plain"
}

# show COMMAND...: as one would type it.
show()
{
	local word line=

	for word in "$@"; do
		case $word in
		*[\ \*\']*)	word="'$word'" ;;
		esac
		line="$line $word"
	done
	printf '\n%s$%s%s\n' "$bold" "$line" "$plain"
}

# ask CURL-ARGUMENT...: from the client.
ask()
{
	show curl "$@"
	client curl -s -m 10 "$@" | sed -e '$a\'
}

guide=$top/tests/manifests/guide
rules=$work/rules
mkdir "$rules"
cp "$guide"/{class,echo,fallback,ingress-demo}.yaml "$rules/"

say "A client 10.77.0.2, a node 10.77.0.1, an echo pod 10.77.1.2:1027 and a" \
    "fallback pod 10.77.1.3:5678."
net_up 2 3
echo_pod 2
fallback_pod 3

say "One Ingress: /echo leads to the Service echo, strip-path on."
sed -n '/^apiVersion/,$p' "$guide/ingress-demo.yaml"
set -f
show weir run --netns NODE $(weir_ifaces) -l "$LISTEN:80" -f rules/
set +f
weir_start -f "$rules"
weir status --netns "$NODE"

say "No rule matches /: the kernel answers by itself."
ask -i "http://$LISTEN"
say "The rule matches: the echo pod answers, and sees / and /hello."
ask -i "http://$LISTEN/echo"
ask "http://$LISTEN/echo/hello"

say "A second Ingress, with a default backend. The agent follows the files."
sed -n '/^apiVersion/,$p' "$guide/ingress-fallback.yaml"
show cp ingress-fallback.yaml rules/
before=$(generation)
cp "$guide/ingress-fallback.yaml" "$rules/"
within 10 weir_ready "$before" || die "the new Ingress is not served"

say "Now everything else goes to the fallback service."
ask -i "http://$LISTEN"
ask "http://$LISTEN/some/other/path"
say "The rule still comes first; one connection carries both answers."
ask "http://$LISTEN/echo/hello" "http://$LISTEN/other" -w 'new connections: %{num_connects}\n'

say "What the kernel counted."
show weir stats
weir stats
say "Stopping. Nothing stays behind."
