#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# cppcheck on userspace. Leaks are left to the sanitizers of the units: it does not
# know destructors of locals. Its own parse errors are not ours.
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
cd "$top" || exit 1

mkdir -p "$build/cppcheck"
out=$(cppcheck -q -j2 --std=c11 --enable=warning,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=unknownMacro \
	--suppress=memleak --suppress=resourceLeak --suppress=internalAstError \
	--cppcheck-build-dir="$build/cppcheck" \
	-D_GNU_SOURCE -DWEIR_VERSION='"0"' -Iinclude -Ibpf -Iuser \
	--template='{file}:{line}: {severity}: {message} [{id}]' \
	user bpf/pure 2>&1 | grep -E ': (error|warning|portability):')
if [ -n "$out" ]; then
	sed 's/^/FAIL /' <<<"$out"
	exit 1
fi
echo "PASS cppcheck has no warning"
