#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Random patterns and inputs: our automata against PCRE2. A round is five patterns
# with twelve inputs each; SEED and ROUNDS choose others.
exec "${BUILD:-$(dirname "$0")/../../build}/regex/pcre2_diff" "${SEED:-1}" "${ROUNDS:-1000}"
