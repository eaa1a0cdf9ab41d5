#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/kernel/load.sh [-k KERNEL]... FILE.bpf.o...
#
# Loads every program of the objects on the running kernel and on Debian's 6.1 and
# 6.12 (in a virtual machine), or only on the KERNELs named: here, 6.1, 6.12.
# Prints PASS or FAIL with the verifier's instruction count, and the end of the
# verifier's log for a refused program. Exit 77 when a kernel cannot be had and
# nothing else failed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build}

kernels=
while getopts k: opt; do
	case $opt in
	k)	kernels="$kernels $OPTARG" ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '4,9s/^# \{0,1\}//p' "$0"; exit 2; }

loader=$build/kernel/loadall
if [ ! -x "$loader" ] || [ "$here/loadall.c" -nt "$loader" ]; then
	mkdir -p "$build/kernel"
	cc -O2 -g -Wall -Wextra -D_GNU_SOURCE -o "$loader" "$here/loadall.c" -lbpf
fi

job=$(mktemp -d)
trap 'rm -rf "$job"' EXIT
cp "$@" "$job/"
echo "$loader" >"$job/need"
echo 'exec loadall *.bpf.o' >"$job/run.sh"

worst=0
for k in ${kernels:-here 6.1 6.12}; do
	r=0
	if [ "$k" = here ]; then
		(cd "$job" && "$loader" *.bpf.o) >"$job/out" || r=$?
		name=$(uname -r)
	else
		"$here/run.sh" "$k" "$job" >"$job/out" || r=$?
		name=$k
	fi
	sed "s/^\(PASS\|FAIL\) /\1 $name /" "$job/out"
	case $r in
	0)	;;
	77)	[ "$worst" != 0 ] || worst=77 ;;
	*)	worst=1 ;;
	esac
done
exit "$worst"
