#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/bpftool.md shows the maps as they are.
exec "$(dirname "$0")/../../docs/bpftool.sh" --check
