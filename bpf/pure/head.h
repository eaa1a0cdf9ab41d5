/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The HTTP/1 request head: scan it, and rewrite its target without moving
 * what comes after the first header's colon (RFC 9110, RFC 9112).
 */
#pragma once

#include <weir/flow.h>

#include "pure/seam.h"

enum head_status {
	HEAD_DONE = 1,	/* whole head found */
	HEAD_MORE,	/* valid so far, more bytes needed */
	HEAD_BAD,	/* malformed or ambiguous: 400 */
	HEAD_LONG,	/* over WEIR_HEAD_MAX: 431 */
	HEAD_VERSION,	/* HTTP, but not version 1: 505 */
};

/* http_head.flags */
#define HEAD_CHUNKED 0x0001u	/* Transfer-Encoding: chunked is the last coding */
#define HEAD_CLOSE 0x0002u	/* Connection: close, or HTTP/1.0 without keep-alive */
#define HEAD_UPGRADE 0x0004u	/* Connection: upgrade with an Upgrade field */
#define HEAD_EXPECT 0x0008u	/* Expect: 100-continue */
#define HEAD_LENGTH 0x0010u	/* Content-Length given: content_length */
#define HEAD_HTTP10 0x0020u	/* HTTP/1.0 */
#define HEAD_METHOD_HEAD 0x0040u
#define HEAD_METHOD_CONNECT 0x0080u
#define HEAD_METHOD_OPTIONS 0x0100u
#define HEAD_ABSOLUTE 0x0200u	/* absolute-form target */
#define HEAD_NORMAL 0x0400u	/* path is in normal form as it stands */

/* Offsets are bytes from the start of the buffer; 0 means absent. */
struct http_head {
	u64 content_length; /* body bytes, up to 2^63 - 1 */
	u32 head_len;	    /* from byte 0 (extra CRLF included) to behind the empty line */
	u32 flags;	    /* HEAD_* */
	u16 method_off, method_len;
	u16 target_off, target_len; /* request target as received */
	u16 path_off, path_len;	    /* path of the target, without the query */
	u16 host_off, host_len;	    /* used for routing: no port, no trailing dot */
	u16 colon_end;		    /* behind the first header's colon */
	u16 pad[3];
};
