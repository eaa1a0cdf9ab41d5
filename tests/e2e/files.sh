#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent follows its files; a broken one changes nothing and is named.
. "$(dirname "$0")/../lib.sh"

answered_by()
{
	[ "$(get / | field pod)" = "$1" ]
}

net_up 2 3
echo_pod 2
echo_pod 3
mkdir "$work/rules"
{
	service a 80 1027 10.77.1.2
	service b 80 1027 10.77.1.3
} >"$work/rules/services.yaml"
ingress web '' / Prefix a 80 >"$work/rules/web.yaml"
weir_start -v -f "$work/rules"
is "served by a" pod2 "$(get / | field pod)"

before=$(generation)
ingress web '' / Prefix b 80 >"$work/rules/web.yaml"
ok "a changed file is followed" within 5 weir_ready "$before"
is "served by b" pod3 "$(get / | field pod)"

before=$(generation)
ingress more '' /more Prefix a 80 true >"$work/more"
mv "$work/more" "$work/rules/more.yaml"
ok "a new file is followed" within 5 weir_ready "$before"
is "the new rule" "pod2 /x" "$(get /more/x | field pod) $(get /more/x | field target)"

# The third line of it is no YAML.
: >"$work/weir.log"
printf 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: [\n' \
	>"$work/rules/broken.yaml"
ok "a broken file is told" within 5 grep -qE 'broken\.yaml:[0-9]+:[0-9]+' "$work/weir.log"
is "the old rules stay" pod3 "$(get / | field pod)"
has "status tells it" "broken.yaml" "$(weir status -o json | jq -r .last_apply.result)"
before=$(generation)
ingress web '' / Prefix a 80 >"$work/rules/web.yaml"
ingress broken '' /mended Prefix b 80 >"$work/rules/broken.yaml"
ok "mended, it is followed" within 5 weir_ready "$before"
is "with all that changed meanwhile" "pod2 pod3" \
	"$(get / | field pod) $(get /mended | field pod)"

# Endpoints alone: only their file is read, and no rule is made anew.
before=$(generation)
: >"$work/weir.log"
{
	service a 80 1027 10.77.1.3
	service b 80 1027 10.77.1.3
} >"$work/services"
mv "$work/services" "$work/rules/services.yaml"
ok "endpoints alone are followed" within 5 answered_by pod3
ok "that is told" within 5 grep -q "route table unchanged" "$work/weir.log"
is "the generation stays" "$before" "$(generation)"
ok "one file of four is taken apart" grep -q "1 of 4 files taken apart" "$work/weir.log"
ok "for one group" grep -q "endpoints alone: 1 groups" "$work/weir.log"
ok "no rule is made anew" not grep -q "made anew" "$work/weir.log"
: >"$work/weir.log"
touch "$work/rules/web.yaml"
ok "a file with the same bytes: nothing is taken apart" \
	within 5 grep -q "0 of 4 files taken apart" "$work/weir.log"
ok "and no rule is made anew" not grep -q "made anew" "$work/weir.log"
before=$(generation)
rm "$work/rules/more.yaml"
ok "a removed file is followed" within 5 weir_ready "$before"
is "its rule is gone" / "$(get /more/x | field target | cut -c1)"

before=$(generation)
kill -HUP "$weir_pid"
ok "SIGHUP keeps it serving" within 5 answered_by pod3

# By hand.
printf 'no: [yaml\n' >"$work/broken.yaml"
weir apply --netns "$NODE" -f "$work/broken.yaml" 2>"$work/err"
is "apply of a broken file: exit 1" 1 $?
ok "apply names file, line and column" grep -qE 'broken\.yaml:[0-9]+:[0-9]+' "$work/err"
is "and nothing has changed" pod3 "$(get / | field pod)"
