#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guide once more, with IPv6 all the way.
V6=1 . "$(dirname "$0")/guide.sh"
