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
printf '%s\n' ip tc "$build/prog/bench_tests" >"$job/need"
cat >"$job/run.sh" <<'END'
# system() of the bench: busybox's shell prefers its own ip and tc
ln -sf /bin/dash /bin/sh
case $(uname -r) in
6.1.*)	export WEIR_BENCH_MODE="wire, partial, no kfunc" ;;
*)	export WEIR_BENCH_MODE="wire, partial" ;;
esac
CMOCKA_MESSAGE_OUTPUT=TAP bench_tests >/tmp/out 2>&1
r=$?
sed -n 's/^# ok - /PASS /p; s/^# not ok - /FAIL /p' /tmp/out
[ $r = 0 ] || grep -v '^ok ' /tmp/out | tail -40
exit $r
END
guests "$job"
