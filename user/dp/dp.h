/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path from userspace: its maps and its program, loaded or found
 * under PIN. Knows no Kubernetes.
 *
 *	PIN/maps/NAME	settings is pinned last: without it the maps are half made
 *	PIN/progs/weir_tc
 *	PIN/links/IFACE	one TCX link an interface
 *
 * Locks, both flock() on a directory, so that they end with their holder:
 * PIN itself is held by an agent as long as it runs; PIN/maps by whoever
 * changes something, for the time of the change. An agent takes the first
 * before the second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/config.h>
#include <weir/maps.h>

#include "base/err.h"

/* In the order in which they are pinned. */
#define DP_MAPS(X)         \
	X(flows)           \
	X(legs)            \
	X(heads)           \
	X(head_free)       \
	X(listen_ports)    \
	X(listeners)       \
	X(endpoints)       \
	X(endpoint_health) \
	X(groups)          \
	X(routes)          \
	X(route_stats)     \
	X(endpoint_stats)  \
	X(replies)         \
	X(cookie_keys)     \
	X(counters)        \
	X(counter_names)   \
	X(attachments)     \
	X(events)          \
	X(monitor)         \
	X(table)           \
	X(settings)

#define DP_MAP_ENUM(name) DP_MAP_##name,
enum dp_map { DP_MAPS(DP_MAP_ENUM) DP_MAP_COUNT };
#undef DP_MAP_ENUM

extern const char *const dp_map_names[DP_MAP_COUNT];

struct dp {
	char pin[256];
	int map[DP_MAP_COUNT];
	int prog;
	uint32_t table_bytes;	  /* value size of the table's inner map */
	uint64_t isn[2];	  /* isn_key of a program loaded here */
	uint64_t layout;	  /* of the maps; set by dp_load() */
	bool fresh[DP_MAP_COUNT]; /* made by this process, not pinned yet */
	bool fresh_prog;
	bool replaces; /* all maps are new, and older ones are pinned */
	bool adopted;  /* there was a data path under PIN before */
};

/* Holds nothing: dp_close() is harmless. */
void dp_init(struct dp *dp);

/* Is there a data path under PIN, of whatever layout? */
bool dp_exists(const char *pin);

/* Opens what is pinned, for reading and small changes. -ENOENT and the
 * sentence when there is no data path. */
int dp_open(struct dp *dp, const char *pin, struct err *err);

/* Loads the program into the kernel with the maps of PIN, or with new ones
 * where there are none, for a route table of at least `table` bytes. Nothing
 * is pinned or attached: dp_publish() does that when the table is filled.
 * -ESTALE and the sentence when the maps are of another layout. */
int dp_load(struct dp *dp, const char *pin, size_t table, struct err *err);

/* The same with new maps beside those of another layout, which serve until
 * dp_publish() puts these in their place: hooks and cookie keys are taken over, so
 * that no new connection is lost; the old ones are reset. */
int dp_load_beside(struct dp *dp, const char *pin, size_t table, struct err *err);

/* Pins what is new and puts the program in place of the older one everywhere. */
int dp_publish(struct dp *dp, struct err *err);

void dp_close(struct dp *dp);

int dp_settings_read(const struct dp *dp, struct weir_settings *out, struct err *err);
int dp_settings_write(const struct dp *dp, const struct weir_settings *s,
		      struct err *err);

/* Takes off every hook and removes every pin of PIN. */
int dp_remove(const char *pin, struct err *err);
