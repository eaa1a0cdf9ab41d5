#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Random patterns and inputs: our automata against PCRE2.
exec "${BUILD:-$(dirname "$0")/../../build}/regex/pcre2_diff" 1 400
