#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# clang-format has nothing to change, but in headers that are laid out by hand:
# lists with an entry a line, and fields with their comments in a column.
cd "$(dirname "$0")/../.." || exit 1
by_hand='^(include/weir/|user/route/(ir|build)\.h$)'

out=$(git ls-files '*.c' '*.h' | grep -vE "$by_hand" |
	xargs clang-format --dry-run -Werror 2>&1)
files=$(grep -oE '^[^ :]+:[0-9]+' <<<"$out" | cut -d: -f1 | sort | uniq -c)
if [ -n "$files" ]; then
	while read -r n file; do
		echo "FAIL $file: $n places (clang-format -i $file)"
	done <<<"$files"
	exit 1
fi
echo "PASS every C file is formatted"
