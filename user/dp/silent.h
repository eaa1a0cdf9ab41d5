/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints that do not answer a SYN. The client's retransmission is the timer
 * for a lost SYN, but not the only one that is needed: a client whose packet
 * still waits in a queue of this host does not retransmit. So the agent tells
 * the data path that an endpoint refuses, in the endpoint's stead and by way of
 * BPF_PROG_TEST_RUN, and sends on what the program makes of it: a SYN to the
 * next endpoint, or the reply to the client. The program keeps the decision,
 * and its claim of the flow keeps the two apart.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct dp;

/* Seconds for which a SYN to an endpoint may stay without an answer. */
#define SILENT_S 5u
/* And to one whose health checks fail. */
#define SILENT_UNHEALTHY_S 1u

/* Gives up on legs that have been connecting for longer; *count of them. */
int silent_give_up(const struct dp *dp, uint64_t now_ns, uint32_t *count,
		   struct err *err);
