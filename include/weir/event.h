/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What `weir monitor` reads: two records for each watched request in the
 * `events` ring buffer. The first is written when the request has been read,
 * the second when its response has ended, or the connection. They are joined
 * by client tuple and request number. Nothing is written while nobody watches.
 *
 * Times are CLOCK_MONOTONIC in nanoseconds, durations in microseconds, ports
 * and addresses in network order, everything else in host order.
 */
#pragma once

#include <weir/limits.h>
#include <weir/types.h>

enum weir_event_kind {
	WEIR_EVENT_REQUEST = 1,
	WEIR_EVENT_RESPONSE,
};

/* Begins both records. */
struct weir_event {
	u32 kind;   /* enum weir_event_kind */
	u32 number; /* of the request on its connection, from 1 */
	u64 time_ns;
	struct weir_addr client;
	struct weir_addr listener;
	__be16 client_port;
	__be16 listener_port;
	u32 route_id; /* or WEIR_NO_ID */
};

#define WEIR_EVENT_METHOD 16u
#define WEIR_EVENT_HOST 128u
#define WEIR_EVENT_TARGET 256u

/* WEIR_EVENT_REQUEST: texts are cut to their fields, lengths are the true ones.
 * All are empty for a request that weir cannot read (400, 431, 505). */
struct weir_event_request {
	struct weir_event e;
	u16 method_len;
	u16 host_len;
	u16 target_len;
	u16 pad;
	char method[WEIR_EVENT_METHOD]; /* as received, no NUL at full length */
	char host[WEIR_EVENT_HOST];	/* as received; no port, no trailing dot */
	char target[WEIR_EVENT_TARGET]; /* in normal form, before strip-path */
};

/* weir_event_response.flags */
#define WEIR_EVENT_KERNEL 0x1u	 /* answered by the kernel, endpoint_id is WEIR_NO_ID */
#define WEIR_EVENT_CUT 0x2u	 /* the connection ended before the response did */
#define WEIR_EVENT_UPGRADED 0x4u /* 101: the bytes count the tunnel as well */

/* WEIR_EVENT_RESPONSE */
struct weir_event_response {
	struct weir_event e;
	u32 endpoint_id; /* or WEIR_NO_ID */
	u16 status;	 /* of the final response, 0 when none came */
	u16 flags;	 /* WEIR_EVENT_* */
	u32 first_us;	 /* request read -> first byte of the response */
	u32 total_us;	 /* request read -> end of the response */
	u64 bytes_up;	 /* payload from the client, head included */
	u64 bytes_down;	 /* payload to the client, head included */
};

/* monitor: array, 0 -> what to write. The reader extends `until_ns` again and
 * again, so that one that was killed leaves nothing switched on. */
struct weir_monitor {
	u64 until_ns; /* CLOCK_MONOTONIC; nothing is written afterwards */
	u64 lost;     /* records for which the ring had no room, atomic */
	u32 sample;   /* one request of so many; 0 and 1: each */
	u32 route_id; /* only this one, or WEIR_NO_ID */
	u32 classes;  /* bit n: responses nxx, 0: all (the request is written anyway) */
	u16 client_bits; /* prefix length of `client` in its 128 bits; 0: all */
	u16 host_len;	 /* 0: all */
	struct weir_addr client;
	char host[WEIR_EVENT_HOST]; /* lower case, no port, compared as routing does */
};
