/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every fixed limit of weir, with its unit. Those that size a map are
 * defaults; the loader may change them before the program is loaded.
 */
#pragma once

/* Request heads: bytes kept, and readable bytes behind the last of them. */
#define WEIR_HEAD_MAX 16384u
#define WEIR_HEAD_MASK (WEIR_HEAD_MAX - 1)
#define WEIR_HEAD_SLACK 2048u

/* Head buffers shared by all flows; one is held from a head's first byte
 * until the endpoint has acknowledged its last. */
#define WEIR_HEAD_SLOTS 2048u
#define WEIR_NO_SLOT 0xffffffffu

/* Slots below this one stay with the flow that has had them, for its next head. The
 * others go back as soon as the endpoint has acknowledged what they hold, so that they
 * are there for everybody, however many connections are idle. */
#define WEIR_SLOTS_STAY (WEIR_HEAD_SLOTS / 2)

/* Requests sent to an endpoint whose responses have not begun (pipelining), a
 * power of two; another one waits. */
#define WEIR_ASKED_MAX 16u

/* Longest header line with the framing of a response that may be cut by a packet's
 * end; a multiple of 8. */
#define WEIR_RESPONSE_CARRY 32u

/* The ring of `weir monitor`, a power of two: some 400 requests. */
#define WEIR_EVENT_BYTES (256u << 10)

#define WEIR_MAX_FLOWS 131072u
#define WEIR_MAX_LISTENERS 64u
#define WEIR_MAX_INTERFACES 1024u
#define WEIR_MAX_ENDPOINTS 65536u
#define WEIR_MAX_GROUPS 65536u
#define WEIR_MAX_ROUTES 262144u
#define WEIR_GROUP_SLOTS 960u /* see struct weir_group */
#define WEIR_GROUP_ENDPOINTS WEIR_GROUP_SLOTS /* endpoints of one Service port */
#define WEIR_CONNECT_TRIES 4u		      /* endpoints tried for one request */

/* An endpoint that fails so often in a row is ejected, for so many seconds the
 * first time and twice as many each time after that. */
#define WEIR_EJECT_FAILURES 3u
#define WEIR_EJECT_MIN_S 1u
#define WEIR_EJECT_MAX_S 60u

/* Kernel-made replies: ids below WEIR_REPLY_FIRST_FREE are fixed. */
#define WEIR_MAX_REPLIES 1024u
#define WEIR_REPLY_BYTES 4096u /* a power of two */
#define WEIR_REPLY_SLACK 516u  /* readable bytes behind the last of them */
#define WEIR_QUOTE_MAX 1024u /* longest host, and longest target, in a redirect */

/* Text kept in map values for people, terminating NUL included. */
#define WEIR_NAME_MAX 128u /* namespace/name, namespace/service:port */
#define WEIR_HOST_MAX 256u
#define WEIR_PATH_MAX 256u
#define WEIR_ADDR_TEXT 64u /* "[v6]:port" */

/* The size of a route table's blob, a power of two, set before load. */
#define WEIR_TABLE_MIN (256u << 10)
#define WEIR_TABLE_MAX (256u << 20)

/* Window offered before an endpoint is connected (bytes), and the shift
 * promised to clients that scale (RFC 7323). */
#define WEIR_INIT_WINDOW 16384u
#define WEIR_WSCALE 7u
#define WEIR_WSCALE_NONE 15u

/* Source ports towards endpoints, host order, both included. Below the
 * kernel's default ephemeral range, so the node's own connections keep theirs. */
#define WEIR_PORT_LO 1024u
#define WEIR_PORT_HI 32767u
