#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Heads, bodies and hellos, as `weir explain` reads them.
here=$(cd "$(dirname "$0")" && pwd)

exec /usr/bin/python3 "$here/run_heads.py" --weir "${WEIR:-$here/../../build/weir}"
