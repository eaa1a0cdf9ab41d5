/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /metrics, /healthz and /readyz over HTTP, by libmicrohttpd within the agent's own
 * loop. Ready means: attached somewhere, with rules in.
 */
#pragma once

#include "base/err.h"
#include "base/loop.h"

struct dp;
struct MHD_Daemon;

struct scrape {
	struct MHD_Daemon *daemon;
	struct watch events; /* libmicrohttpd's epoll descriptor, its own */
	struct watch clock;  /* connections that take too long */
	const struct dp *dp;
};

/* To be done before scrape_listen() or scrape_close(). */
void scrape_init(struct scrape *s);

/* On "ADDR:PORT". `dp` stays the caller's and may change behind the pointer. */
int scrape_listen(struct scrape *s, struct loop *loop, const char *text,
		  const struct dp *dp, struct err *err);
void scrape_close(struct scrape *s);
