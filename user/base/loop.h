/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread waiting for descriptors and timers. A watch is owned by its user
 * and must stay where it is while it is in the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop {
	int epoll;
	bool stop; /* set by a callback: loop_run() returns */
};

struct watch {
	int fd;
	void (*ready)(struct watch *w);
	void *arg;
};

int loop_init(struct loop *l, struct err *err);
void loop_fini(struct loop *l);

/* Calls w->ready(w) whenever w->fd can be read. */
int loop_add(struct loop *l, struct watch *w, struct err *err);

/* Makes w->fd a timer; it starts when it is set. The callback calls
 * timer_done() first. */
int loop_timer(struct loop *l, struct watch *w, struct err *err);
void timer_set(const struct watch *w, uint32_t first_ms, uint32_t every_ms);
void timer_done(const struct watch *w);

/* 0 when stopped, -errno when the loop itself fails. */
int loop_run(struct loop *l);
