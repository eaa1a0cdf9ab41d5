/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers as Prometheus reads them, and a small server for it. */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/loop.h"

struct dp;

/* Text exposition format, version 0.0.4. */
int metrics_write(const struct dp *dp, FILE *out, struct err *err);

/* Answers /metrics, /healthz and /readyz. One request at a time, each given a
 * short while: this is for one scraper, and the agent must not wait. */
struct metrics_server {
	struct watch listener;
	struct loop *loop;
	const struct dp *dp;
};

void metrics_init(struct metrics_server *m);
int metrics_listen(struct metrics_server *m, struct loop *loop, const char *text,
		   const struct dp *dp, struct err *err);
void metrics_close(struct metrics_server *m);
