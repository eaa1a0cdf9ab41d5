#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another version of weir: maps of the same layout are adopted, those of another are
# left alone, or replaced when told so, and no new connection is lost by that.
. "$(dirname "$0")/../lib.sh"

net_up 2 3
echo_pod 2
fallback_pod 3
cp -r "$top/tests/manifests/guide" "$work/rules"

# The settings say another layout, as if another version had made the maps (the hash
# is at byte 32, include/weir/config.h).
age_maps()
{
	local value

	value=$(bpftool -j map lookup pinned "$PIN/maps/settings" key 0 0 0 0 |
		jq -r '.value | .[32] = (if .[32] == "0x00" then "0x01" else "0x00" end) |
			join(" ")')
	# shellcheck disable=SC2086
	bpftool map update pinned "$PIN/maps/settings" key 0 0 0 0 value $value
}

# hammer close|keep: requests in the background, see hammer_end.
hammer()
{
	background_in "$CLIENT" /usr/bin/python3 "$top/tests/tools/hammer.py" "$1" \
		"$LISTEN" /echo >"$work/hammer"
	hammer=$last
	within 20 grep -q begun "$work/hammer" || die "no first answer"
}

# hammer_end WHAT [MOST]: none of them has failed, or no more than so many.
hammer_end()
{
	local said

	kill -TERM "$hammer"
	wait "$hammer"
	said=$(tail -n 1 "$work/hammer")
	ok "$1" [ "$(sed -n 's/.* \([0-9]*\) failed.*/\1/p' <<<"$said")" -le "${2:-0}" ]
	echo "     $said"
}

for hook in tcx clsact; do
	unset WEIR_NO_TCX
	[ "$hook" = tcx ] || export WEIR_NO_TCX=1

	# The same layout: a copy of the binary stands for the next build.
	weir_start -f "$work/rules" --keep
	hammer keep
	weir_stop
	cp "$WEIR" "$work/weir-next"
	real=$WEIR
	WEIR=$work/weir-next
	weir_start -f "$work/rules" --keep
	hammer_end "$hook: the next build adopts, and no request fails"
	weir_stop
	WEIR=$real

	age_maps
	for command in "status" "routes" "apply -f $work/rules" \
		"run -i cli0 -l $LISTEN:80 -f $work/rules"; do
		# shellcheck disable=SC2086
		said=$(weir $command --netns "$NODE" 2>&1)
		is "$hook: another layout: no ${command%% *}" 1 $?
		has "$hook: and it says why" layout "$said"
		has "$hook: and the way out" "--replace" "$said"
	done
	is "$hook: it serves on" 200 "$(status /echo)"
	hammer close
	weir_start -f "$work/rules" --replace
	# The one that there is at that moment may have its response on the way.
	hammer_end "$hook: replaced, and no new connection fails" 1
	is "$hook: and serves" 200 "$(status /echo)"
	is "$hook: as before" "$hook" "$(weir status -o json | jq -r '.interfaces[0].hook')"
	weir_stop
	ok "$hook: no pin stays" not test -e "$PIN"

	weir_start -f "$work/rules" --keep
	weir_stop
	age_maps
	ok "$hook: detach --all removes another layout" weir detach --all --netns "$NODE"
	ok "$hook: with its pins" not test -e "$PIN"
	is "$hook: and hooks" "" "$(node tc qdisc show dev cli0 | grep clsact)"
done
