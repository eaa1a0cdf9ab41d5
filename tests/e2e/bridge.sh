#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guide once more, with the pods behind a bridge instead of veths of their own.
NET=bridge exec "$(dirname "$0")/guide.sh"
