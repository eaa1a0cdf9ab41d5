#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guide, end to end, on Debian's 6.1 (clsact) and 6.12 (TCX) kernels: the test
# of tests/e2e with its namespaces, servers and agent, inside a virtual machine.
#
# KERNELS: which, default "6.1 6.12". TEST: which test of tests/e2e, default guide.
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build}
test=${TEST:-guide}

job=$(mktemp -d)
trap 'rm -rf "$job"' EXIT
mkdir -p "$job/tests"
cp -r "$top/tests/lib.sh" "$top/tests/e2e" "$top/tests/manifests" "$job/tests/"
printf '%s\n' bash ip ss nsenter curl jq nginx "${WEIR:-$build/weir}" >"$job/need"
cat >"$job/run.sh" <<END
echo "root:x:0:0:root:/:/bin/sh" >/etc/passwd
echo "root:x:0:" >/etc/group
mkdir -p /run/netns /var/log/nginx
export WEIR=/job/bin/weir BUILD=/tmp TMPDIR=/tmp
exec bash tests/e2e/$test.sh
END

worst=0
for k in ${KERNELS:-6.1 6.12}; do
	"$here/run.sh" "$k" "$job" >"$job/out"
	r=$?
	sed -E "s/^(PASS|FAIL|SKIP) /\1 $k: /" "$job/out"
	case $r in
	0)	;;
	77)	echo "SKIP $k: no such kernel or no virtual machine here" ;;
	*)	worst=1 ;;
	esac
done
exit $worst
