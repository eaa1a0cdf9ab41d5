#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Packets too big for a hop, with IPv6.
V6=1 . "$(dirname "$0")/pmtu.sh"
