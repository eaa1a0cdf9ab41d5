#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Random patterns and inputs through weir's automata and through PCRE2. SEED and
# ROUNDS choose others; a round is five patterns with twelve inputs each.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$PWD/build}

if ! echo '#include <pcre2.h>' |
	${CC:-cc} -DPCRE2_CODE_UNIT_WIDTH=8 -E - >/dev/null 2>&1; then
	echo "SKIP libpcre2-dev is not installed"
	exit 77
fi
mkdir -p "$BUILD/regex" || exit 1
${CC:-cc} -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Wshadow -Wno-unused-parameter -D_GNU_SOURCE \
	-Iinclude -Iuser -Itests -o "$BUILD/regex/pcre2_diff" tests/regex/pcre2_diff.c \
	user/route/regex_*.c user/base/err.c user/base/hash.c user/base/pool.c \
	-lpcre2-8 || exit 1
exec "$BUILD/regex/pcre2_diff" "${SEED:-1}" "${ROUNDS:-1500}"
