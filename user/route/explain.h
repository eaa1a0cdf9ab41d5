/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which way does a request take, and why? Answers by the kernel's own scanner,
 * walker and rewriter over the bytes of a head.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/flow.h>

#include "base/err.h"
#include "pure/walk.h"
#include "route/ir.h"

enum explain_verdict {
	EXPLAIN_ROUTE,
	EXPLAIN_FALLBACK,
	EXPLAIN_REPLY,	/* the kernel answers: status */
	EXPLAIN_REJECT, /* malformed or ambiguous: status */
	EXPLAIN_GATEWAY,
	EXPLAIN_INCOMPLETE, /* needs more bytes */
	EXPLAIN_VERDICT_COUNT,
};

extern const char *const explain_verdict_text[EXPLAIN_VERDICT_COUNT];

struct explainer {
	const struct ir *ir;
	void *table;
	uint32_t mask;
	struct weir_head head;	   /* of the last question, rewritten */
	struct http_head received; /* as it was scanned; head_len 0: not to its end */
	struct http_head h;	   /* as it goes to the endpoint */
	struct route_match m;
};

struct explain_answer {
	enum explain_verdict verdict;
	unsigned int status;	      /* 0: none */
	const struct ir_route *route; /* that matched, or NULL */
	const char *target;	      /* in explainer.head, for an endpoint; or NULL */
	size_t target_len;
	char reason[160];
};

/* Compiles the ir's table. Gives routes and groups ids of its own: the ir is
 * borrowed, and of no use for a data path then. */
int explain_open(struct explainer *e, struct ir *ir, struct err *err);
void explain_close(struct explainer *e);

/* The head at the start of these bytes; those of a body may follow it. */
void explain_head(struct explainer *e, const void *bytes, size_t len,
		  struct explain_answer *out);

/* The rule that would take the request if *first were not there, and why *first
 * goes before it. Compiles the other rules, so it is for single questions. */
struct explain_second {
	const struct ir_route *route; /* NULL: there is none */
	const char *why;
};

int explain_second(const struct explainer *e, const struct ir_route *first,
		   const void *bytes, size_t len, struct explain_second *out,
		   struct err *err);

/* ---- streams ---- */

/* Where a body ends, in bytes from its start. */
enum body_status {
	BODY_DONE,
	BODY_MORE, /* unfinished */
	BODY_BAD,  /* its framing is broken */
};

/* A chunked body (RFC 9112, 7.1), trailer section included. */
enum body_status body_chunked(const void *bytes, size_t len, size_t *end);

struct explain_request {
	uint64_t offset;
	uint32_t head_bytes; /* 0: no whole head */
	uint64_t end;	     /* 0: unfinished */
	enum explain_verdict verdict;
};

struct explain_stream {
	struct explain_answer first; /* target is not valid, see first_target */
	char *first_target;
	size_t first_target_len;
	struct http_head head; /* the first, see explainer.received */
	struct vec_of(struct explain_request) requests;
};

/* All requests of a client's stream. 0 or -ENOMEM. */
int explain_stream(struct explainer *e, const void *bytes, size_t len,
		   struct explain_stream *out);
void explain_stream_free(struct explain_stream *s);

/* ---- TLS ---- */

#define HELLO_PROTOCOLS 16

struct tls_hello {
	char sni[256]; /* lower case, no trailing dot; "" when absent */
	size_t protocol_count;
	char protocols[HELLO_PROTOCOLS][256]; /* ALPN */
};

enum hello_status {
	HELLO_DONE,
	HELLO_MORE,
	HELLO_BAD,
};

/* The ClientHello at the start of a TLS stream (RFC 8446, 4.1.2; RFC 6066, 3;
 * RFC 7301), which may be spread over several records. */
enum hello_status hello_read(const void *bytes, size_t len, struct tls_hello *out);
