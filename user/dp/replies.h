/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies that the kernel makes: their bytes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/reply.h>

#include "base/err.h"

struct dp;

/* What a rule may ask for (request-termination, redirects). */
struct reply_want {
	uint16_t status;
	const char *content_type; /* NULL: none */
	const char *body;	  /* NULL: none */
	const char *location;	  /* NULL: none */
	bool to_https;		  /* Location is the request's own URL, with https */
};

/* Both variants as bytes. -E2BIG when they do not fit WEIR_REPLY_BYTES. */
int reply_render(const struct reply_want *want, struct weir_reply *out);

/* One of WEIR_REPLIES, as bytes. */
void reply_render_fixed(uint16_t status, const char *reason, const char *message,
			struct weir_reply *out);

int replies_write_fixed(const struct dp *dp, struct err *err);
int reply_write(const struct dp *dp, uint32_t id, const struct weir_reply *reply,
		struct err *err);
int reply_read(const struct dp *dp, uint32_t id, struct weir_reply *out);
