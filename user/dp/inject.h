/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent speaks in another's stead: a segment that a client or an endpoint
 * might have sent is run through the program (BPF_PROG_TEST_RUN), and what the
 * program makes of it is sent on. So the program alone changes a flow, under
 * its claim of the flow, and the agent needs to know no more than TCP.
 */
#pragma once

#include <stdint.h>

#include <weir/flow.h>

#include "base/err.h"

struct dp;

#define SEGMENT_FIN 0x01
#define SEGMENT_RST 0x04
#define SEGMENT_ACK 0x10

struct segment {
	struct weir_tuple tuple; /* src sends it */
	uint32_t seq, ack;
	uint8_t flags; /* SEGMENT_* */
};

struct injector {
	const struct dp *dp;
	int raw;   /* socket */
	int raw6;  /* -1 on a kernel without IPv6 */
	char *out; /* what the program makes */
};

int injector_open(struct injector *in, const struct dp *dp, struct err *err);
void injector_close(struct injector *in);

/* As if it arrived on that interface, with that mark. */
int inject_run(struct injector *in, const struct segment *s, uint32_t ifindex,
	       uint32_t mark, struct err *err);

/* Straight to where its dst lives, by the node's routes. */
int inject_send(struct injector *in, const struct segment *s, struct err *err);
