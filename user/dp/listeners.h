/* SPDX-License-Identifier: BSD-2-Clause */
/* Where clients connect to. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/config.h>

#include "base/err.h"
#include "base/vec.h"

struct dp;

/* Without an endpoint: an Ethernet path less the headers and, as a congestion
 * control without timestamps wants it, the room of that option too. */
#define LISTENER_MSS_DEFAULT 1448u

struct listener_want {
	struct weir_addr addr;
	uint16_t port;	/* host order */
	uint16_t proto; /* enum weir_listener_proto */
};

struct listeners vec_of(struct listener_want);

/* "ADDR:PORT[/http|/tls]"; ":PORT", "0.0.0.0:PORT" and "[::]:PORT" mean every
 * address of the given interfaces now. Appends to *out. */
int listeners_parse(const char *text, const char *const *ifaces, size_t count,
		    struct listeners *out, struct err *err);

/* Makes these listeners exist; with `only` removes all others. */
int listeners_set(const struct dp *dp, const struct listeners *want, bool only,
		  struct err *err);

/* The MSS offered to clients, for every listener: it must fit the path of
 * every endpoint, for a head may go to any of them. */
int listeners_set_mss(const struct dp *dp, uint16_t mss, struct err *err);

struct listener_rows vec_of(struct weir_listener);
int listeners_list(const struct dp *dp, struct listener_rows *out, struct err *err);
