#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The client's address once more, with IPv6 all the way.
V6=1 . "$(dirname "$0")/client_address.sh"
