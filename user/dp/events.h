/* SPDX-License-Identifier: BSD-2-Clause */
/* Watching requests as they happen: the `monitor` and `events` maps. */
#pragma once

#include <stdint.h>

#include <weir/event.h>

#include "base/err.h"

struct dp;
struct events;

/* A record of <weir/event.h>. Not 0 ends the poll and is returned by it. */
typedef int (*events_fn)(void *arg, const void *record, size_t len);

/*
 * Switches the kernel's records on, as `want` says (its times and counts are not
 * looked at). There is one reader at a time: -EBUSY and the sentence, with the other's
 * process id. Records of an earlier reader are thrown away.
 */
int events_open(const struct dp *dp, const struct weir_monitor *want, events_fn fn,
		void *arg, struct events **out, struct err *err);

/* Waits for records, at most that long, and keeps the kernel writing for some seconds
 * more. -EINTR when a signal came. */
int events_poll(struct events *ev, int timeout_ms);

/* Records for which the ring had no room since it was opened. */
uint64_t events_lost(const struct events *ev);

/* Switches off. */
void events_close(struct events *ev);
