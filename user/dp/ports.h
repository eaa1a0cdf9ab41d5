/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP sockets of this host: who else wants the connections of a listener. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/types.h>

/* Does a socket of this network namespace listen there, on the address itself or
 * on all addresses? Its clients reach weir instead. Port in host order. */
bool ports_listened(const struct weir_addr *addr, uint16_t port);
