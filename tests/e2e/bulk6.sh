#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Large bodies with IPv6.
V6=1 . "$(dirname "$0")/bulk.sh"
