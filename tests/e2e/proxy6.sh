#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# PROXY protocol headers with IPv6 addresses.
V6=1 . "$(dirname "$0")/proxy.sh"
