/* SPDX-License-Identifier: BSD-2-Clause */
/* By which interface, and past whom, this node reaches an address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/types.h>

struct way {
	uint32_t ifindex;
	bool has_gateway; /* another router comes first */
};

/* Asks the kernel's routing. 0, or -errno with *out untouched (-ENETUNREACH, ...). */
int way_find(const struct weir_addr *to, struct way *out);
