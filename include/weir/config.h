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
 * with this program: it is raised by every change of a key or a value. Changes that
 * BTF shows are noticed without it too (settings.layout); those of meaning are not. */
#define WEIR_ABI 11u

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
	WEIR_ENDPOINT_UNHEALTHY, /* the agent's checks fail: only when no other is left */
};

/* endpoints: endpoint id -> where it is and how to get there */
struct weir_endpoint {
	struct weir_addr addr;
	struct weir_addr source; /* our address towards it (route lookup by the agent) */
	__be16 port;
	u16 mss;    /* payload bytes that fit its path */
	u16 weight; /* share of the connections, next to the others of its group */
	u8 state;   /* enum weir_endpoint_state */
	u8 held;    /* drained by hand: the state that it has afterwards; else 0 */
	char service[WEIR_NAME_MAX]; /* "namespace/service:port" */
	char text[WEIR_ADDR_TEXT];   /* "10.0.0.1:8080" */
};

/* Mark of an RST that the agent runs through the program in the stead of an
 * endpoint that has not answered: the last resort is then 504, not 502. */
#define WEIR_MARK_SILENT 0x77656972u

/* Of a client's and an endpoint's address: a connection stays within its family. */
enum weir_family {
	WEIR_IPV4,
	WEIR_IPV6,
	WEIR_FAMILIES,
};

/* The endpoints of one family in a group. */
struct weir_share {
	u32 count; /* different endpoints; 0: none is ready, 503 */
	u32 first; /* of its slots */
	u32 slots; /* their number, at least count */
};

/* weir_group.flags. Which address its endpoints see, with neither of the two as
 * weir_settings.keep_client says: */
#define WEIR_GROUP_KEEP_CLIENT 0x1u /* the client's */
#define WEIR_GROUP_NODE 0x2u	    /* the node's */
/* A client's address picks the slot; else they are taken in turn. */
#define WEIR_GROUP_BY_CLIENT 0x4u
/* Connections to its endpoints begin with a PROXY protocol header, version 2. */
#define WEIR_GROUP_PROXY 0x8u

/*
 * groups: group id -> the endpoints of a Service port that may get connections.
 * Userspace lays them out in slots, each as often as its weight wants and spread
 * evenly; the kernel takes the slots in turn, or by the client, whatever their number.
 * A hash: an
 * update replaces the whole value at once. The value and its element's header fit
 * 4096 bytes, the largest piece that the kernel's allocator keeps ready.
 */
struct weir_group {
	u64 turn; /* next slot, incremented atomically by the kernel */
	struct weir_share share[WEIR_FAMILIES];
	u32 flags; /* WEIR_GROUP_* */
	u32 pad;
	char name[WEIR_NAME_MAX]; /* "namespace/service:port" */
	u32 slot[WEIR_GROUP_SLOTS]; /* endpoint ids */
};

/* endpoint_health: endpoint id -> what the kernel has seen of one that does not
 * accept. Made by the kernel with the first failure, removed with the next success. */
struct weir_health {
	u64 until_ns; /* CLOCK_MONOTONIC: ejected, unless all others are as well */
	u32 failures; /* in a row */
	u16 ejections; /* in a row: each doubles the time */
	u16 on_trial; /* 1: the time was over, one connection is trying it */
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

/* settings: one entry. What another version reads stays where it is: abi, netns. */
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
	u64 layout;	/* of all maps, from their BTF (user/dp/layout.h) */
	u64 applied_ns;	/* CLOCK_REALTIME of the last swap */
	u32 keep_client; /* 1: endpoints see the client's address, unless their group
			  * says otherwise */
	u32 pad;
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
 * hook is made and removed after it is gone. Other versions read it, to replace or to
 * remove: new members go to its end. */
struct weir_attachment {
	u16 kind;	/* enum weir_hook */
	u16 made_qdisc; /* 1: the clsact qdisc is ours, to be removed */
	u32 handle;	/* of the filter */
	u32 priority;
	u32 peer;      /* 1: packets may be handed to the other end of the veth pair */
	char name[16]; /* of the interface when it was attached */
};

/* counters: outcome -> count per CPU. names: outcome -> its text. */
struct weir_counter_name {
	char name[24];
	char text[104];
};
