/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What userspace tells the data path besides the route table: listeners,
 * endpoints, groups, settings and cookie keys. Addresses and ports are in
 * network order. Every value carries the names that a person would look for.
 */
#pragma once

#include <weir/limits.h>
#include <weir/types.h>

/* The layout of all maps together. Pins of another version are never mixed
 * with this program: it is raised by every change of a key or a value. */
#define WEIR_ABI 2u

enum weir_listener_proto {
	WEIR_LISTEN_HTTP = 1,
	WEIR_LISTEN_TLS, /* reserved: TLS passthrough by SNI */
};

/* listeners: address and port -> listener. The unspecified IPv6 address, or
 * ::ffff:0.0.0.0, does not match everything: each address is listed. */
struct weir_listener_key {
	struct weir_addr addr;
	__be16 port;
	u16 pad[3]; /* 0: every byte of a key counts */
};

struct weir_listener {
	u32 id;
	u16 proto; /* enum weir_listener_proto */
	u16 mss;   /* offered to clients, payload bytes without options */
	char text[WEIR_ADDR_TEXT]; /* "10.0.0.1:80/http" */
};

enum weir_endpoint_state {
	WEIR_ENDPOINT_READY = 1,
	WEIR_ENDPOINT_DRAINING, /* old connections go on, no new ones */
	WEIR_ENDPOINT_GONE,	/* id kept until no flow uses it */
	WEIR_ENDPOINT_UNREACHABLE, /* the node has no route to it */
};

/* endpoints: endpoint id -> where it is and how to get there */
struct weir_endpoint {
	struct weir_addr addr;
	struct weir_addr source; /* our address towards it (route lookup by the agent) */
	__be16 port;
	u16 mss;    /* payload bytes that fit its path */
	u16 weight; /* reserved, 1 */
	u16 state;  /* enum weir_endpoint_state */
	char service[WEIR_NAME_MAX]; /* "namespace/service:port" */
	char text[WEIR_ADDR_TEXT];   /* "10.0.0.1:8080" */
};

/* Mark of an RST that the agent runs through the program in the stead of an
 * endpoint that has not answered: the last resort is then 504, not 502. */
#define WEIR_MARK_SILENT 0x77656972u

/* groups: group id -> the ready endpoints of a Service port, used in turn.
 * A hash: an update replaces the whole value at once. */
struct weir_group {
	u64 turn;  /* next pick, incremented atomically by the kernel */
	u32 count; /* 0: no endpoint ready, 503 */
	u32 flags; /* reserved, 0 */
	char name[WEIR_NAME_MAX]; /* "namespace/service:port" */
	u32 endpoint[WEIR_GROUP_ENDPOINTS];
};

enum weir_path_type {
	WEIR_PATH_EXACT = 1,
	WEIR_PATH_PREFIX,	  /* by element */
	WEIR_PATH_IMPLEMENTATION, /* string prefix */
	WEIR_PATH_REGEX,
	WEIR_PATH_DEFAULT, /* the default backend */
};

enum weir_action {
	WEIR_ACTION_GROUP = 1,	/* to an endpoint of the group */
	WEIR_ACTION_REPLY,	/* answered by the kernel: reply_id */
	WEIR_ACTION_GATEWAY,	/* to the full gateway's group */
	WEIR_ACTION_UNHONOURED, /* needs a gateway, there is none: 503 */
};

#define WEIR_ROUTE_STRIP 0x1u	 /* strip-path */
#define WEIR_ROUTE_FALLBACK 0x2u /* a default backend */

/* routes: route id -> a rule, for people. The kernel reads the route table. */
struct weir_route {
	u32 group_id;
	u16 type;   /* enum weir_path_type */
	u16 action; /* enum weir_action */
	u32 flags;  /* WEIR_ROUTE_* */
	s32 priority;
	char ingress[WEIR_NAME_MAX];
	char backend[WEIR_NAME_MAX];
	char host[WEIR_HOST_MAX];
	char path[WEIR_PATH_MAX];
};

/* settings: one entry */
struct weir_settings {
	u32 abi;	/* WEIR_ABI */
	u32 generation; /* of the route table in use, for people */
	u16 port_lo;	/* source ports towards endpoints, host order */
	u16 port_hi;
	u32 head_timeout_s;
	u32 fallback;	/* 1 when a default backend exists, for people */
	u32 routes;	/* in the table, for people */
	u32 table_bytes; /* value size of the route table's map; the program's mask + 1 */
	u32 netns;	/* inode of the network namespace of our interfaces */
	u64 applied_ns;	/* CLOCK_REALTIME of the last swap */
	char applied[128]; /* "ok" or why the last apply was refused */
};

/* cookie_keys: one entry. SipHash-2-4 keys; a cookie is made with `now` and
 * accepted with either, so a rotation breaks no handshake. */
struct weir_cookie_keys {
	u64 now[2];
	u64 before[2];
	/* For the loader: isn_key of the program, kept when the program is replaced.
	 * With another key our sequence numbers would fall behind those that
	 * endpoints have in TIME_WAIT, and a SYN there would cost a second. */
	u64 isn[2];
};

enum weir_hook {
	WEIR_HOOK_TCX = 1, /* a link, pinned as links/NAME */
	WEIR_HOOK_CLSACT,  /* a filter of the clsact qdisc, before 6.6 */
};

/* attachments: ifindex -> how weir hangs on that interface. Written before the
 * hook is made and removed after it is gone. */
struct weir_attachment {
	u16 kind;	/* enum weir_hook */
	u16 made_qdisc; /* 1: the clsact qdisc is ours, to be removed */
	u32 handle;	/* of the filter */
	u32 priority;
	char name[16]; /* of the interface when it was attached */
};

/* counters: outcome -> count per CPU. names: outcome -> its text. */
struct weir_counter_name {
	char name[24];
	char text[104];
};
