/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Request and response records of the kernel (weir/event.h), joined. They belong
 * together by connection and request number. Memory is bounded: of two requests that
 * fall on one place the older one is given up, as one whose response did not come.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <weir/event.h>

struct exchange {
	bool has_request;  /* false: it was lost, or came before anybody watched */
	bool has_response; /* false: given up, or lost */
	struct weir_event_request request;
	struct weir_event_response response;
};

/* Borrowed for the call. Not 0 ends what led to it, and is returned by that. */
typedef int (*exchange_fn)(const struct exchange *x, void *arg);

struct exchanges;

struct exchanges *exchanges_new(exchange_fn fn, void *arg); /* NULL: out of memory */
void exchanges_free(struct exchanges *all);

/* One record as it stands in the ring; others than the two are passed over. */
int exchanges_add(struct exchanges *all, const void *record, size_t len);

/* Gives up those whose response has not come, the oldest first. */
int exchanges_flush(struct exchanges *all);
