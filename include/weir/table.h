/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The route table: one flat, position-independent blob. The compiler writes
 * it (user/route/table.c), the walker reads it (bpf/pure/walk.c) in the kernel
 * and in `weir explain`. All offsets are bytes from its start, all numbers
 * little endian, as on every machine that weir runs on.
 *
 *	header | routes | hosts | buckets | names | sets | criteria | cells | tails
 *
 * Hosts are found by a hash of the name in lower case, and compared. The name
 * of "*.example.com" is ".example.com", looked up with what follows the first
 * label of a request's host. With TABLE_ALL_HOSTS it is looked up with what
 * follows each label, "example.*" is "example.", looked up with what stands
 * before, and the best route of all the hosts that are found wins.
 *
 * Automata. Paths and regexes share one array of cells. A state is a number whose upper 29 bits are the
 * offset of its row and whose lowest bits say what it is:
 *
 *	TABLE_ACCEPT	something ends here: the row has an accept record
 *	TABLE_TAIL	not a row but the offset of a tail: the only bytes that
 *			may follow, and what they lead to: the end, or a state
 *
 * The cell for byte c of state s stands at row + 8 * c and is an edge of s if
 * and only if its `check` is s; rows overlap like the teeth of combs. The
 * accept record takes the cells of the symbols 256 and 257:
 *
 *	row + 2048	check = s, at_end
 *	row + 2056	element, prefix
 *
 * A reference (to a route or to a host record) has bit 2 set, which no state
 * has; TABLE_NO_REF is none and greater than all others.
 * What a path state accepts is resolved by the compiler:
 *
 *	at_end	best route when the path ends here
 *	element	best route when a "/" follows (at_end counts as well at the end)
 *	prefix	best route whatever follows
 *
 * Routes stand in order of precedence, so the smallest reference wins among
 * all that match in one host record, or with TABLE_ALL_HOSTS in any.
 */
#pragma once

#include <weir/limits.h>
#include <weir/types.h>

#define WEIR_TABLE_MAGIC 0x74726577u /* "wert" */
#define WEIR_TABLE_VERSION 1u

#define TABLE_ACCEPT 1u
#define TABLE_TAIL 2u
#define TABLE_REF 4u
#define TABLE_BACK 1u /* in a reference: the match ended one byte before */
#define TABLE_NO_REF 0xffffffffu
#define TABLE_FLAGS 7u

/* weir_table_header.flags: every host that fits is asked, not the first kind. No
 * set has `last` then. */
#define TABLE_ALL_HOSTS 1u

#define TABLE_SYMBOL_END 256u /* at_end; 257: element and prefix */
#define TABLE_ROW_CELLS 258u

/* Longest tail. */
#define TABLE_TAIL_MAX 64u

struct weir_table_section {
	u32 off; /* multiple of 8 */
	u32 end;
};

struct weir_table_header {
	u32 magic;
	u32 version;
	u32 bytes;	/* of the whole blob */
	u32 generation; /* set by whoever loads it, outside the checksum */
	u32 crc32;	/* of the bytes behind this field (zlib's crc32) */
	u32 host_seed;	/* of the names' hash */
	u32 any_host;	/* reference to a host record, or TABLE_NO_REF */
	u32 fallback;	/* reference to a route: the default backend, or none */
	u32 route_count;
	u32 host_count;
	u32 bucket_mask; /* buckets less one; they are a power of two */
	u32 wildcards;	 /* how many of the hosts are wildcards */
	u32 gateway;	 /* group of the full gateway, or TABLE_NO_REF */
	u32 flags;	 /* TABLE_ALL_HOSTS */
	struct weir_table_section routes, hosts, buckets, names, sets, criteria;
	struct weir_table_section cells, tails;
};

struct weir_table_cell {
	u32 check; /* the state that has this edge; 0: a free cell */
	u32 next;  /* the state it leads to */
};

/* `len` bytes follow, padded to a multiple of 8. */
struct weir_table_tail {
	u32 at_end, element, prefix; /* when next is 0 */
	u32 len;
	u32 next; /* the state behind the bytes, no tail; 0: the end */
	u32 pad;
};

struct weir_table_host {
	u32 sets; /* offset of the first */
	u32 count;
	u32 name; /* offset; padded to 8 bytes */
	u32 name_len;
};

/* Open addressing: a name is looked for from bucket (hash >> 32) & bucket_mask
 * on, at most TABLE_PROBES buckets far and up to an empty one. No two names
 * that share a part of that way have the same `hash`. */
#define TABLE_PROBES 32u
#define TABLE_HOST_MAX 256u /* bytes of a name that is looked for (RFC 1035: 255) */

struct weir_table_bucket {
	u32 hash; /* its lower half */
	u32 host; /* reference, 0: empty */
};

/*
 * What a request must have beside host and path: alternatives of one condition
 * stand behind each other, conditions too. Texts are padded to 8 bytes; names
 * and values of headers in lower case, "_" in names as "-".
 */
#define TABLE_TEST_METHOD 1u
#define TABLE_TEST_HEADER 2u
#define TABLE_TEST_MORE 1u    /* flags: the next test is another alternative */
#define TABLE_TEST_LAST 2u    /* no test follows */
#define TABLE_TESTS_MAX 1024u /* of one set */
#define TABLE_NAME_MAX 64u
#define TABLE_VALUE_MAX 256u
/* value_len: the header only has to be there; or `value` is the state of an
 * automaton (0: nothing) that takes the value in lower case, and any accept is as
 * good as another */
#define TABLE_VALUE_ANY 0xffffu
#define TABLE_VALUE_PATTERN 0xfffeu

struct weir_table_test {
	u32 name; /* offsets of texts */
	u32 value;
	u16 name_len;
	u16 value_len;
	u16 kind;
	u16 flags;
};

/* Routes of a host with the same criteria, those with more criteria first. */
struct weir_table_set {
	u32 criteria; /* offset of the first test, 0: none */
	u32 root;     /* state of the paths, 0: none */
	u32 regex;    /* state of the regexes, 0: none */
	u32 last;     /* 1: sets behind this one have fewer criteria */
};

struct weir_table_route {
	u32 route_id;
	u32 group_id;
	u32 reply_id;
	u16 action; /* enum weir_action */
	u16 flags;  /* WEIR_ROUTE_* */
	u32 pad[2];
};
