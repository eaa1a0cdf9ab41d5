/* SPDX-License-Identifier: BSD-2-Clause */
/* How this node reaches an address. */
#pragma once

#include <stdint.h>

#include <weir/types.h>

struct path {
	struct weir_addr source; /* our address towards it */
	uint16_t mss;		 /* payload bytes of a segment that fits */
};

/* Asks the kernel's routing (of this process's network namespace) without
 * sending anything. 0, or -errno with *out untouched (-ENETUNREACH, ...). */
int path_find(const struct weir_addr *to, uint16_t port, struct path *out);

/* Payload bytes for an MTU: as if timestamps were on, which is what bulk
 * transfer with BBR was measured to need. */
uint16_t path_mss(unsigned int mtu, int is_v4);
