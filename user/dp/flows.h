/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: listing them, and taking away those that are over. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/flow.h>

#include "base/err.h"
#include "base/vec.h"

struct dp;

/* Seconds without a packet after which a connection is forgotten, by state.
 * A later packet of it is answered with RST by the data path. */
#define FLOW_CONNECT_S 10u /* the SYN to the endpoint stays without an answer */
#define FLOW_CLOSED_S 60u  /* as long as a lost last ACK may come again */
#define FLOW_RESET_S 10u
#define FLOW_IDLE_S 7500u /* 2 h 5 min: RFC 5382, REQ-5 wants 2 h 4 min */

#define FLOW_STATES (WEIR_FLOW_CLOSED + 1)
#define LEG_STATES (WEIR_LEG_CLOSED + 1)

extern const char *const flow_state_names[FLOW_STATES];

/* What a flow is, for people: its state, or how far it is closed. */
const char *flow_state_text(const struct weir_flow *flow);
bool flow_is_over(const struct weir_flow *flow);

/* How long this flow, or leg, may be silent, in seconds. */
uint32_t flow_patience_s(const struct weir_flow *flow, uint32_t head_timeout_s);
uint32_t leg_patience_s(const struct weir_leg *leg);

/* Endpoint ids as a set that grows. */
struct id_set {
	uint64_t *word;
	size_t words;
};

bool id_set_add(struct id_set *set, uint32_t id); /* false: out of memory */
bool id_set_has(const struct id_set *set, uint32_t id);
void id_set_free(struct id_set *set);

struct sweep {
	uint64_t flows[FLOW_STATES]; /* that remain, by state */
	uint64_t legs;
	uint64_t ended;			      /* reset in this sweep, both ends told */
	uint64_t expired_flows, expired_legs; /* forgotten in this sweep */
	bool is_full;			      /* nearly: come again soon */
	struct id_set endpoints;	      /* used by what remains */
};

/* What is kept from sweep to sweep. A zeroed one is a first one. */
struct sweep_memory {
	/* When the heads began that are being read, sorted: a head that comes byte
	 * by byte takes its time as a whole (T060). */
	struct head_since *heads;
	size_t head_count;
	/* Closed connections are kept for late packets, but only as long as there
	 * is room: when the table fills up their time becomes short. */
	uint32_t closed_s;
};

void sweep_memory_free(struct sweep_memory *memory);

/* Seconds for closed connections with so many of WEIR_MAX_FLOWS in use. */
uint32_t sweep_closed_s(uint64_t flows, uint64_t max);

/* Ends what has taken too long and forgets what is over; `now_ns` is
 * CLOCK_MONOTONIC. A live flow is ended by an RST of its client's, run through
 * the program, which gives back what the flow holds; it is forgotten a little
 * later. sweep_fini() frees the set. */
int flows_sweep(const struct dp *dp, uint64_t now_ns, struct sweep_memory *memory,
		struct sweep *out, struct err *err);
void sweep_fini(struct sweep *s);

uint64_t monotonic_ns(void);
