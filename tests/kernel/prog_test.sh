#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The bench of tests/prog on Debian's 6.1 (checksums by helpers) and 6.12 kernels, in a
# virtual machine: whole packets in and out through devices.
#
# KERNELS: which, default "6.1 6.12".
. "$(dirname "$0")/guests.sh"
top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build}

job=$(mktemp -d)
trap 'rm -rf "$job"' EXIT
printf '%s\n' ip tc >"$job/need"
for f in $(grep -lE '^BENCH_MAIN' "$top"/tests/prog/*_test.c); do
	binary=$build/prog/$(basename "$f" .c)
	if [ ! -x "$binary" ]; then
		echo "SKIP not built: $binary"
		exit 77
	fi
	echo "$binary" >>"$job/need"
done
cat >"$job/run.sh" <<'END'
# system() of the bench: busybox's shell prefers its own ip and tc
ln -sf /bin/dash /bin/sh
case $(uname -r) in
6.1.*)	mode="wire, partial, no kfunc" ;;
*)	mode="wire, partial" ;;
esac
worst=0
for t in /job/bin/*_test; do
	if WEIR_BENCH_MODE=$mode $t >/tmp/out 2>&1; then
		echo "PASS $(basename $t _test) ($mode)"
	else
		echo "FAIL $(basename $t _test) ($mode)"
		grep -v '^\[ RUN\|^\[  *OK\|^\[=' /tmp/out | tail -20
		worst=1
	fi
done
exit $worst
END
guests "$job"
