#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every program is accepted by the running kernel's verifier. Those of 6.1 and 6.12 are
# asked by the other tests here; load.sh tells what they say.
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}

exec "$here/load.sh" -k here "$build"/*.bpf.o
