#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Includes point one way between rooms:
#
#	include <- bpf/pure <- bpf/lib <- bpf/*.bpf.c
#	base <- k8s <- route	base <- dp	bpf/pure <- route
#	k8s, route, dp <- agent <- cmd <- main
#
# dp and k8s never meet but in agent. An include of another room is one line
# `#include "ROOM/..."`, `<weir/...>` or `"weir.skel.h"` (dp only).
cd "$(dirname "$0")/../.." || exit 1

declare -A may=(
	[include]="weir"
	[pure]="weir pure"
	[lib]="weir pure lib"
	[bpf]="weir pure lib"
	[base]="weir base"
	[k8s]="weir base k8s"
	[route]="weir base k8s route pure"
	[dp]="weir base dp skel"
	[agent]="weir base k8s route dp agent"
	[cmd]="weir base k8s route dp agent cmd"
	[user]="weir base cmd"
)
bad=0

room_of()
{
	case $1 in
	include/*)	echo include ;;
	bpf/pure/*)	echo pure ;;
	bpf/lib/*)	echo lib ;;
	bpf/*)		echo bpf ;;
	user/*/*)	basename "$(dirname "$1")" ;;
	*)		echo user ;;
	esac
}

while read -r file; do
	room=$(room_of "$file")
	while IFS=: read -r line text; do
		target=$(sed -E 's/.*#[[:space:]]*include[[:space:]]*[<"]([^>"]*)[>"].*/\1/' \
			<<<"$text")
		case $target in
		weir.skel.h)	want=skel ;;
		weir/*)		want=weir ;;
		base/* | k8s/* | route/* | dp/* | agent/* | cmd/* | pure/* | lib/*)
				want=${target%%/*} ;;
		*/*)		continue ;;
		*)		# A header beside the file, or one of the system.
				continue ;;
		esac
		case " ${may[$room]} " in
		*" $want "*)	;;
		*)	echo "FAIL $file:$line: room $room may not include $target"
			bad=1 ;;
		esac
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' "$file")
done < <(git ls-files 'include/*.h' 'bpf/*.[ch]' 'user/*.[ch]')
[ "$bad" = 0 ] && echo "PASS includes point one way between the rooms"
exit "$bad"
