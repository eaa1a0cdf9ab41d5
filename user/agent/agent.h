/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent: loads and attaches the data path, then keeps it in step with the
 * manifests, with the node's interfaces and routes, and with time (expired
 * connections, cookie keys) until it is told to stop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/health.h"
#include "agent/source.h"
#include "base/err.h"

struct agent_options {
	const char *pin;
	struct source source;
	const char *const *ifaces; /* names and patterns */
	size_t iface_count;
	const char *const *listeners; /* "ADDR:PORT[/http]" */
	size_t listener_count;
	bool replace;	     /* take the place of a data path of another layout */
	bool keep;	     /* leave everything in place at the end */
	bool keep_client;    /* endpoints see the client's address, not the node's */
	bool no_seccomp;     /* do not filter system calls */
	const char *metrics; /* "ADDR:PORT", or NULL */
	struct health_options health;
};

/* Returns when stopped by a signal (0), or when it cannot start. */
int agent_run(const struct agent_options *opt, struct err *err);

/* Manifests into the data path that is there, once. `out` says what is served. */
struct served {
	size_t routes, endpoints;
	uint32_t generation;
	bool swapped; /* the route table was replaced */
};

int agent_apply_once(const char *pin, const struct source *source, struct served *out,
		     struct err *err);
