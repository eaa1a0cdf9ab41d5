/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups and endpoints as the maps have them, for whoever has not put them there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/config.h>

#include "base/err.h"
#include "base/vec.h"

struct dp;

struct served_group {
	uint32_t id;
	uint32_t flags; /* WEIR_GROUP_* */
	char name[WEIR_NAME_MAX];
};

struct served_endpoint {
	uint32_t id;
	char group[WEIR_NAME_MAX]; /* its name */
	struct weir_addr addr;
	uint16_t port; /* host order */
	uint16_t weight;
	bool ready; /* but for health checks and drains by hand; false: draining */
};

/* Both by id; endpoints that are gone are left out. */
struct served {
	struct vec_of(struct served_group) groups;
	struct vec_of(struct served_endpoint) endpoints;
};

/* To be freed unless it fails. */
int served_read(const struct dp *dp, struct served *out, struct err *err);
void served_free(struct served *s);
