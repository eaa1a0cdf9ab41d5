#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# End to end on Debian's 6.1 (clsact, checksums by helpers) and 6.12 (TCX) kernels:
# tests of tests/e2e with their namespaces, servers and agent in a virtual machine.
#
# KERNELS: which, default "6.1 6.12". TESTS: which of tests/e2e.
. "$(dirname "$0")/guests.sh"
top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build}
tests=${TESTS:-guide kill}

job=$(mktemp -d)
trap 'rm -rf "$job"' EXIT
mkdir -p "$job/tests"
(cd "$top/tests" && cp -r lib.sh bulk.sh e2e manifests "$job/tests/")
printf '%s\n' bash ip tc ss nsenter ethtool curl jq nginx "$build/tools/link" \
	"${WEIR:-$build/weir}" >"$job/need"
cat >"$job/run.sh" <<END
echo "root:x:0:0:root:/:/bin/sh" >/etc/passwd
echo "root:x:0:" >/etc/group
mkdir -p /run/netns /var/log/nginx
case \$(uname -r) in
6.1.*)	export HOOKS=clsact ;;
*)	export HOOKS=tcx ;;
esac
mkdir -p /tmp/tools
ln -s /job/bin/link /tmp/tools/link
export WEIR=/job/bin/weir BUILD=/tmp TMPDIR=/tmp PATIENCE=15
worst=0
for t in $tests; do
	echo "TEST \$t"
	bash tests/e2e/\$t.sh
	case \$? in
	0|77)	;;
	*)	worst=1 ;;
	esac
done
exit \$worst
END

guests "$job"
