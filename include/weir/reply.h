/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Replies that the kernel makes by itself. Userspace writes the bytes, the
 * kernel only sends them. Each reply stands twice: for a connection that
 * stays and for one that is closed after it (`Connection: close`). The answer
 * to HEAD is the head alone, which is the first head_len bytes of either.
 *
 * A redirect to https has a hole for what only the request knows. It is always
 * sent in the closing variant: until the client has it, the flow keeps the
 * request, so that the bytes can be made again.
 */
#pragma once

#include <weir/limits.h>
#include <weir/types.h>

/* X(ENUMERATOR, status, "reason phrase", "message")
 * The message stands in the body as {"message":"..."}; texts are Kong's. */
#define WEIR_REPLIES(X) \
	X(NOT_FOUND, 404, "Not Found", "no Route matched with those values") \
	X(BAD_REQUEST, 400, "Bad Request", "Bad request") \
	X(TOO_LONG, 431, "Request Header Fields Too Large", "Request header or cookie too large") \
	X(BAD_GATEWAY, 502, "Bad Gateway", "An invalid response was received from the upstream server") \
	X(NO_ENDPOINT, 503, "Service Unavailable", "failure to get a peer from the ring-balancer") \
	X(UNHONOURED, 503, "Service Unavailable", "this rule needs a gateway and none is configured") \
	X(TIMEOUT, 504, "Gateway Timeout", "The upstream server is timing out") \
	X(VERSION, 505, "HTTP Version Not Supported", "HTTP version not supported") \
	X(UNAVAILABLE, 503, "Service Unavailable", "The upstream server is currently unavailable")

#define WEIR_REPLY_ENUM(id, status, reason, message) WEIR_REPLY_##id,

enum weir_reply_id {
	WEIR_REPLIES(WEIR_REPLY_ENUM) WEIR_REPLY_FIRST_FREE = 16,
};

#undef WEIR_REPLY_ENUM

/* One variant of a reply: bytes in `text`, lengths in bytes. */
struct weir_reply_text {
	u16 len;      /* head and body */
	u16 head_len; /* up to and including the empty line */
	u16 insert_at; /* not 0: the request's host and target go in here */
	u16 pad;
	char text[WEIR_REPLY_BYTES];
};

struct weir_reply {
	u16 status;
	u16 pad[3];
	struct weir_reply_text keep;  /* the connection stays open */
	struct weir_reply_text close; /* FIN follows */
	char slack[WEIR_REPLY_SLACK];
};
