/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The HTTP/1 request head: scan it, and rewrite its target without moving
 * what comes after the first header's colon (RFC 9110, RFC 9112).
 *
 * The order of the steps:
 *
 *	head_scan(b, len, &h)			HEAD_DONE, or what is wrong
 *	if (!(h.flags & HEAD_NORMAL))
 *		head_rewrite(b, &h, 0)		negative: 400
 *	table_find(...)				walk.h
 *	if (m.strip_len)
 *		head_rewrite(b, &h, m.strip_len)	negative: 400
 *
 * *h belongs into map memory: it is large for the 512-byte stack.
 *
 * All read and write within data[0 .. WEIR_HEAD_MAX + 8). Bytes at and behind
 * `len` have no influence on any result.
 *
 * Strictness: a line ends with CR LF only. RFC 9112, 2.2 would allow a bare LF;
 * endpoints differ on it, so it is refused like a bare CR.
 */
#pragma once

#include <weir/flow.h>

#include "pure/seam.h"

enum head_status {
	HEAD_DONE = 1, /* whole head found */
	HEAD_MORE,     /* valid so far, more bytes needed */
	HEAD_BAD,      /* malformed or ambiguous: 400 */
	HEAD_LONG,     /* over WEIR_HEAD_MAX: 431 */
	HEAD_VERSION,  /* HTTP, but not version 1: 505 */
};

/* http_head.flags */
#define HEAD_CHUNKED 0x0001u /* Transfer-Encoding: chunked is the last coding */
#define HEAD_CLOSE 0x0002u   /* Connection: close, or HTTP/1.0 without keep-alive */
#define HEAD_UPGRADE 0x0004u /* Connection: upgrade with an Upgrade field */
#define HEAD_EXPECT 0x0008u  /* Expect: 100-continue */
#define HEAD_LENGTH 0x0010u  /* Content-Length given: content_length */
#define HEAD_HTTP10 0x0020u  /* HTTP/1.0 */
#define HEAD_METHOD_HEAD 0x0040u
#define HEAD_METHOD_CONNECT 0x0080u /* such heads are HEAD_BAD */
#define HEAD_METHOD_OPTIONS 0x0100u
#define HEAD_ABSOLUTE 0x0200u /* absolute-form target */
#define HEAD_NORMAL 0x0400u   /* the path stands in normal form, origin-form */
#define HEAD_ESCAPED 0x0800u  /* the normal path holds %XX */

/*
 * State of the loops below, of no use outside. It lives in *h because the
 * verifier knows nothing about what it reads back from there: on the stack it
 * would follow each value and each path apart, beyond its limit.
 */
struct head_work {
	u64 word[2];
	u64 number;
	u32 at, end;	/* where a loop stands, and where it must stop */
	u32 next, stop; /* the same for a loop within a loop */
	u32 seen, kind, value;
	u32 host, host_end;
	u32 result;
	u32 count, gap, prev, bad;
	u32 known; /* see head_forget */
	u32 pad;
};

/* Offsets are bytes from the start of the buffer; 0 means absent. */
struct http_head {
	u64 content_length; /* body bytes, up to 2^63 - 1 */
	u32 head_len; /* from byte 0 (extra CRLF included) to behind the empty line */
	u32 flags;    /* HEAD_* */
	u16 method_off, method_len;
	u16 target_off, target_len; /* request target as it stands */
	u16 path_off, path_len;	    /* path of the target, without the query; may be
				     * empty in absolute-form until rewritten */
	u16 host_off, host_len;	    /* used for routing: no port, no trailing dot */
	u16 host_port;		    /* 0: none given */
	u16 colon_end;		    /* behind the first header's colon, 0: no header */
	u16 changed;		    /* behind the last byte changed by head_rewrite */
	u16 fields;		    /* start of the first header line */
	struct head_work work;
};

/* Read the head that begins at `from`, in the first `len` bytes; head_len counts from
 * byte 0 nevertheless. *h is valid with HEAD_DONE only. */
PURE_GLOBAL int head_scan_from(const struct weir_head *b, u32 from, u32 len,
			       struct http_head *h);

static __always_inline int head_scan(const struct weir_head *b, u32 len,
				     struct http_head *h)
{
	return head_scan_from(b, 0, len, h);
}

/*
 * Put the target into origin-form and its path into normal form (unless
 * HEAD_NORMAL), then take the first `strip_len` bytes of the path away, so
 * that the rest begins with exactly one slash. The bytes that this frees
 * become spaces behind the first header's colon: head_len and all offsets
 * from there on stay. A head without header lines gets the line "X:" instead.
 * Returns h->changed, 0 when nothing changed, or a negative number when the
 * head must be refused (400): a path that is not valid, or too few bytes freed
 * for such a line.
 */
PURE_GLOBAL int head_rewrite(struct weir_head *b, struct http_head *h, u32 strip_len);
