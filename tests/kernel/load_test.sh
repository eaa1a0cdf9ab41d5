#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every program is accepted by the verifiers of 6.1, 6.12 and the running kernel.
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}

exec "$here/load.sh" "$build"/*.bpf.o
