#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds from nothing without a warning.
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}

rm -rf "$build/werror"
if out=$(make -s -C "$top" -j2 BUILD="$build/werror" WERROR=1 all 2>&1); then
	echo "PASS builds without warnings"
else
	echo "$out"
	echo "FAIL builds with warnings or not at all"
	exit 1
fi
