/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "pure/walk.h"

#include <weir/table.h>

#include "pure/word.h"

/* Bytes that one pass of the straight loops takes at most. */
#define WALK_STEPS 64

struct walk_ctx {
	const void *table;
	u64 mask;
	const struct weir_head *b;
	const struct http_head *h;
	struct route_match *m;
};

/* Eight bytes at `off`: what a reference or a state points at, flags dropped. */
PURE_LOCAL u64 walk_word(const struct walk_ctx *c, u32 off)
{
	return word_get((const u8 *)c->table + (off & c->mask & ~7ULL));
}

PURE_LOCAL u32 walk_half(const struct walk_ctx *c, u32 off)
{
	u64 w = walk_word(c, off);

	return off & 4 ? w >> 32 : w;
}

#define walk_header(c, field) walk_half(c, offsetof(struct weir_table_header, field))

/* Takes a route that ends at pos, or with TABLE_BACK one byte before, at
 * `before`, when it precedes the best one so far. One that matches again further
 * on has matched more: strip-path takes that. */
PURE_LOCAL void walk_take(struct walk_ctx *c, u32 pos, u32 before, u32 at_end, u64 rest)
{
	struct walk_work *k = &c->m->work;
	u32 ref = rest >> 32;

	if (pos >= k->stop)
		ref = at_end;
	else if (head_byte(c->b, pos) == '/')
		ref = rest;
	if ((ref | TABLE_FLAGS) <= (k->best | TABLE_FLAGS)) {
		k->best = ref;
		k->best_pos = ref & TABLE_BACK ? before : pos;
	}
}

/* The same value, unknown to the verifier: see head_forget. */
PURE_LOCAL u32 walk_forget(struct walk_ctx *c, u32 v)
{
	*(volatile u32 *)&c->m->work.known = v;
	return *(volatile u32 *)&c->m->work.known;
}

#define FOLD_NONE 0 /* as it stands */
#define FOLD_CASE 1 /* lower case */
#define FOLD_NAME 2 /* and "_" is "-": a header's name */

PURE_LOCAL u64 walk_fold(u64 w, u32 fold)
{
	if (fold == FOLD_NONE)
		return w;
	w = word_lower(w);
	if (fold == FOLD_NAME)
		w ^= (word_is_exact(w, '_') >> 7) * ('_' ^ '-');
	return w;
}

/* Does the text of `len` bytes at `off`, at most `max`, stand at pos? */
PURE_LOCAL bool walk_same(struct walk_ctx *c, u32 off, u32 pos, u32 len, u32 max,
			  u32 fold)
{
	u64 differ = 0;
	u32 i;

	for (i = 0; i < max; i += 8) {
		if (i + 8 > len)
			break;
		differ |= walk_fold(head_word(c->b, pos + i), fold) ^
			  walk_word(c, off + i);
	}
	if (len & 7) {
		i = walk_forget(c, i);
		differ |= (walk_fold(head_word(c->b, pos + i), fold) ^
			   walk_word(c, off + i)) &
			  ~(~0ULL << ((len & 7) * 8));
	}
	return !differ;
}

/* 1: over; 0: the walk goes on behind the tail. */
PURE_LOCAL u32 walk_tail(struct walk_ctx *c, u32 tail, u32 pos)
{
	struct walk_work *k = &c->m->work;
	u64 first = walk_word(c, tail), second = walk_word(c, tail + 8);
	u32 next = walk_word(c, tail + 16), len = second >> 32;

	tail = (tail & ~TABLE_FLAGS) + sizeof(struct weir_table_tail);
	if (len > k->stop - pos ||
	    !walk_same(c, tail, pos, len, TABLE_TAIL_MAX, FOLD_NONE))
		return 1;
	pos = walk_forget(c, pos + len);
	if (next) {
		k->state = next;
		k->pos = pos;
		return 0;
	}
	/* at_end | element, prefix | len */
	walk_take(c, pos, pos, first, first >> 32 | second << 32);
	return 1;
}

/*
 * From k->pos in k->state to the next state that accepts something or is a
 * tail; 1: over. The loop is straight, with one way to go on: the verifier
 * keeps few states within it and would follow the ways of several steps in all
 * their combinations.
 */
PURE_LOCAL u32 walk_path(struct walk_ctx *c)
{
	struct walk_work *k = &c->m->work;
	u32 s = k->state, pos = walk_forget(c, k->pos), end = k->stop, i;

	if (s & TABLE_TAIL)
		return walk_tail(c, s, pos);
	if (s & TABLE_ACCEPT)
		walk_take(c, pos, pos - 1, walk_word(c, s + 8 * TABLE_SYMBOL_END) >> 32,
			  walk_word(c, s + 8 * TABLE_SYMBOL_END + 8));
	for (i = 0; i < WALK_STEPS; i++) {
		u64 cell;

		if (pos >= end)
			return 1;
		cell = walk_word(c, s + 8 * head_byte(c->b, pos));
		if ((u32)cell != s)
			return 1;
		s = cell >> 32;
		pos++;
		if (s & (TABLE_ACCEPT | TABLE_TAIL))
			break;
	}
	k->state = s;
	k->pos = pos;
	return 0;
}

static long walk_path_cb(u32 i, void *ctx)
{
	return walk_path(ctx) || walk_path(ctx);
}

PURE_LOCAL u32 walk_hex(u32 ch)
{
	return ch <= '9' ? ch - '0' : ch - 'A' + 10;
}

/* The bytes that an escape leaves escaped: as in the path's normal form the
 * rest are matched as what they stand for (RFC 3986, 2.2). */
#define RESERVED_0 0xac009ffa00000000ULL /* ! # $ % & ' ( ) * + , / : ; = ? */
#define RESERVED_1 0x0000000028000001ULL /* @ [ ] */

/* One byte of a path with escapes, in normal form. */
static long walk_escaped_cb(u32 i, void *ctx)
{
	struct walk_ctx *c = ctx;
	struct walk_work *k = &c->m->work;
	u32 s = k->state, pos = k->pos, ch = head_byte(c->b, pos), next = pos + 1;
	u64 cell;

	if (ch == '%') {
		u32 v = walk_hex(head_byte(c->b, pos + 1)) << 4 |
			walk_hex(head_byte(c->b, pos + 2));
		u64 set = v < 64 ? RESERVED_0 : v < 128 ? RESERVED_1 : 0;

		if (!((set >> (v & 63)) & 1)) {
			ch = v & 0xff;
			next = pos + 3;
		}
	}
	if (s & TABLE_TAIL) {
		u64 first = walk_word(c, s), second = walk_word(c, s + 8);
		u32 at = k->tail;

		if (at >= (u32)(second >> 32)) {
			k->state = walk_word(c, s + 16);
			if (k->state)
				return 0;
			walk_take(c, pos, pos, first, first >> 32 | second << 32);
			return 1;
		}
		cell = walk_word(c, (s & ~TABLE_FLAGS) +
					    sizeof(struct weir_table_tail) + at);
		if (pos >= k->stop || ((cell >> ((at & 7) * 8)) & 0xff) != ch)
			return 1;
		k->tail = at + 1;
		k->pos = next;
		return 0;
	}
	if (s & TABLE_ACCEPT)
		walk_take(c, pos, k->before,
			  walk_word(c, s + 8 * TABLE_SYMBOL_END) >> 32,
			  walk_word(c, s + 8 * TABLE_SYMBOL_END + 8));
	if (pos >= k->stop)
		return 1;
	cell = walk_word(c, s + 8 * ch);
	if ((u32)cell != s)
		return 1;
	k->state = cell >> 32;
	k->tail = 0;
	k->pos = next;
	k->before = pos;
	return 0;
}

/* Runs an automaton over the whole path. */
PURE_LOCAL void walk_run(struct walk_ctx *c, u32 root)
{
	struct walk_work *k = &c->m->work;

	k->state = root;
	k->pos = c->h->path_off;
	if (c->h->flags & HEAD_ESCAPED) {
		k->tail = 0;
		pure_loop(WEIR_HEAD_MAX + 1, walk_escaped_cb, c);
		return;
	}
	pure_loop(WEIR_HEAD_MAX, walk_path_cb, c);
}

/* ---- criteria ---- */

PURE_LOCAL bool walk_is_blank(u32 ch)
{
	return ch == ' ' || ch == '\t';
}

/* walk_work.phase: what comes next in a header line */
#define LINE_NAME 0  /* its name */
#define LINE_BLANK 1 /* white space in front of a value that may fit */
#define LINE_END 2   /* its end */
#define LINE_TRIM 3  /* white space behind a value that may fit */
#define LINE_MATCH 4 /* a byte of a value for a pattern's automaton */

/* The start of a line: is it the header that the test names? */
PURE_LOCAL void walk_line_name(struct walk_ctx *c)
{
	struct walk_work *k = &c->m->work;
	u32 pos = k->line, n = k->name_len;

	k->phase = LINE_END;
	k->found = 0;
	if (head_byte(c->b, pos + n) == ':' &&
	    walk_same(c, k->name, pos, n, TABLE_NAME_MAX, FOLD_NAME)) {
		k->phase = LINE_BLANK;
		k->found = pos + n + 1;
		k->line = pos + n + 1;
	}
}

/* 64 bytes towards the end of the line. */
PURE_LOCAL void walk_line_end(struct walk_ctx *c)
{
	struct walk_work *k = &c->m->work;
	u32 pos = k->line, n;
	u64 stop = 0;

	for (n = 0; n < 8; n++) {
		stop = word_is(head_word(c->b, pos), '\r');
		if (stop)
			break;
		pos += 8;
	}
	if (stop) {
		pos += word_index(stop);
		k->value_end = pos;
		k->phase = k->found ? LINE_TRIM : LINE_NAME;
		pos += 2;
	}
	k->line = pos;
}

/* One byte of the value; the pattern's automaton says whether it fits. */
PURE_LOCAL void walk_line_match(struct walk_ctx *c)
{
	struct walk_work *k = &c->m->work;
	u32 s = k->state, pos = k->pos;
	u64 cell;

	k->phase = LINE_NAME;
	if (s & TABLE_ACCEPT) {
		u64 ref = walk_word(c, s + 8 * TABLE_SYMBOL_END +
					       (pos < k->value_end ? 8 : 0));

		k->fits = ref >> 32 != TABLE_NO_REF;
	}
	if (k->fits || pos >= k->value_end)
		return;
	cell = walk_word(c, s + 8 * byte_lower(head_byte(c->b, pos)));
	if ((u32)cell != s)
		return;
	k->state = cell >> 32;
	k->pos = pos + 1;
	k->phase = LINE_MATCH;
}

/* A step through the header lines; ends with k->fits set, or behind the last.
 * One loop for all of it: the call depth's stack is short on kernel 6.1. */
static long walk_line_cb(u32 i, void *ctx)
{
	struct walk_ctx *c = ctx;
	struct walk_work *k = &c->m->work;
	u32 phase = k->phase;

	if (phase == LINE_MATCH) {
		walk_line_match(c);
		return k->fits != 0;
	}
	if (phase == LINE_TRIM) {
		if (k->value_end > k->found &&
		    walk_is_blank(head_byte(c->b, k->value_end - 1))) {
			k->value_end--;
			return 0;
		}
		k->phase = LINE_NAME;
		if (k->value_len == TABLE_VALUE_PATTERN) {
			k->state = k->value;
			k->pos = k->found;
			k->phase = k->value ? LINE_MATCH : LINE_NAME;
			return 0;
		}
		k->fits = k->value_len == TABLE_VALUE_ANY ||
			  (k->value_end - k->found == k->value_len &&
			   walk_same(c, k->value, k->found, k->value_len,
				     TABLE_VALUE_MAX, FOLD_CASE));
		return k->fits != 0;
	}
	if (k->line >= k->line_end)
		return 1;
	if (phase == LINE_NAME) {
		walk_line_name(c);
	} else if (phase == LINE_BLANK) {
		if (walk_is_blank(head_byte(c->b, k->line))) {
			k->line++;
			k->found = k->line;
		} else {
			k->phase = LINE_END;
		}
	} else {
		walk_line_end(c);
	}
	return 0;
}

/* One test. Ends with k->fits saying whether all conditions hold. */
static long walk_test_cb(u32 i, void *ctx)
{
	struct walk_ctx *c = ctx;
	struct walk_work *k = &c->m->work;
	u64 texts = walk_word(c, k->test), rest = walk_word(c, k->test + 8);
	u32 kind = (rest >> 32) & 0xffff, flags = rest >> 48;

	k->test += sizeof(struct weir_table_test);
	if (!k->fits) {
		k->name = texts;
		k->value = texts >> 32;
		k->name_len = rest & 0xffff;
		k->value_len = (rest >> 16) & 0xffff;
		if (kind == TABLE_TEST_METHOD) {
			k->fits = k->name_len == c->h->method_len &&
				  walk_same(c, k->name, c->h->method_off, k->name_len,
					    TABLE_NAME_MAX, FOLD_NONE);
		} else {
			k->line = c->h->fields;
			k->line_end = c->h->head_len - 2;
			k->phase = LINE_NAME;
			/* a step for each byte of a value, two for each line,
			 * and more */
			pure_loop(2 * WEIR_HEAD_MAX, walk_line_cb, c);
		}
	}
	if (flags & TABLE_TEST_MORE)
		return 0;
	if (!k->fits || (flags & TABLE_TEST_LAST))
		return 1;
	k->fits = 0;
	return 0;
}

/* Has the request what the tests from `test` on want? */
PURE_LOCAL u32 walk_fits(struct walk_ctx *c, u32 test)
{
	struct walk_work *k = &c->m->work;

	k->test = test;
	k->fits = 0;
	pure_loop(TABLE_TESTS_MAX, walk_test_cb, c);
	return k->fits;
}

/* ---- hosts ---- */

PURE_LOCAL u64 walk_hash(struct walk_ctx *c, u32 pos, u32 len)
{
	u64 hash = walk_header(c, host_seed);
	u32 i;

	for (i = 0; i < TABLE_HOST_MAX; i += 8) {
		if (i + 8 > len)
			break;
		hash = table_mix(hash, word_lower(head_word(c->b, pos + i)));
	}
	if (len & 7) {
		i = walk_forget(c, i);
		hash = table_mix(hash, word_lower(head_word(c->b, pos + i)) &
					       ~(~0ULL << ((len & 7) * 8)));
	}
	return table_mix(hash, len);
}

/* The record of the host whose name stands at pos, or TABLE_NO_REF. */
PURE_LOCAL u32 walk_host(struct walk_ctx *c, u32 pos, u32 len)
{
	u64 hash = walk_hash(c, pos, len), name;
	u32 slot = walk_forget(c, hash >> 32), low = hash, ref = 0, i;
	u32 mask = walk_header(c, bucket_mask), buckets = walk_header(c, buckets.off);

	len = walk_forget(c, len);
	for (i = 0; i < TABLE_PROBES; i++) {
		u64 bucket = walk_word(c, buckets + 8 * ((slot + i) & mask));

		ref = bucket >> 32;
		if (!ref || (u32)bucket == low)
			break;
	}
	if (!ref)
		return TABLE_NO_REF;
	ref = walk_forget(c, ref);
	name = walk_word(c, (ref & ~TABLE_FLAGS) + 8);
	if (name >> 32 != len ||
	    !walk_same(c, name, pos, len, TABLE_HOST_MAX, FOLD_CASE))
		ref = TABLE_NO_REF;
	return walk_forget(c, ref);
}

/* The first dot in the host's first 64 bytes, or 0: labels are shorter. */
PURE_LOCAL u32 walk_first_dot(struct walk_ctx *c, u32 pos, u32 end)
{
	u64 dot = 0;
	u32 i;

	for (i = 0; i < 8; i++) {
		dot = word_is(head_word(c->b, pos), '.');
		if (dot)
			break;
		pos += 8;
	}
	if (!dot)
		return 0;
	pos = walk_forget(c, pos + word_index(dot));
	return pos < end ? pos : 0;
}

/* walk_work.host_at */
#define HOST_EXACT 0
#define HOST_WILDCARD 1 /* "*.example.com" */
#define HOST_ANY 2
#define HOST_TRAILING 3 /* "example.*" */
#define HOST_DONE 4

/* What stands behind the first label: exactly one is in front of it then. */
PURE_LOCAL u32 walk_first_wildcard(struct walk_ctx *c, u32 start, u32 end)
{
	struct walk_work *k = &c->m->work;

	k->host_at = HOST_ANY;
	if (!walk_header(c, wildcards))
		return 0;
	k->from = walk_first_dot(c, start, end);
	return k->from > start;
}

/* What stands from the next dot on, then what stands up to it; a label at least
 * is behind the star's place. */
PURE_LOCAL u32 walk_each_wildcard(struct walk_ctx *c, u32 at, u32 start, u32 end)
{
	struct walk_work *k = &c->m->work;

	if (at == HOST_TRAILING) {
		k->host_at = HOST_WILDCARD;
		k->to = k->dot;
		return k->to < end;
	}
	k->from = walk_first_dot(c, k->dot, end);
	k->host_at = k->from ? HOST_TRAILING : HOST_ANY;
	k->dot = k->from + 1;
	return k->from > start;
}

/* The next name to look up in k->from, k->to; 0: there is none in this step. */
PURE_LOCAL u32 walk_next_name(struct walk_ctx *c, u32 flags)
{
	struct walk_work *k = &c->m->work;
	u32 at = k->host_at, start = c->h->host_off, end = start + c->h->host_len;

	if (!start || end - start > TABLE_HOST_MAX) {
		k->host_at = HOST_ANY;
		return 0;
	}
	k->from = start;
	k->to = end;
	if (at == HOST_EXACT) {
		k->host_at = HOST_WILDCARD;
		k->dot = start;
		/* a name with a dot at an end is a wildcard's */
		return head_byte(c->b, start) != '.' && head_byte(c->b, end - 1) != '.';
	}
	if (flags & TABLE_ALL_HOSTS)
		return walk_each_wildcard(c, at, start, end);
	return walk_first_wildcard(c, start, end);
}

/* Takes the next host record up, if there is one; 1: there is none, or a
 * route is found. A host without a match falls through to the next kind. */
PURE_LOCAL u32 walk_next_host(struct walk_ctx *c)
{
	struct walk_work *k = &c->m->work;
	u32 at = k->host_at, flags = walk_header(c, flags), ref;
	u64 w;

	if (at == HOST_DONE || (k->best != TABLE_NO_REF && !(flags & TABLE_ALL_HOSTS)))
		return 1;
	if (at == HOST_ANY) {
		k->host_at = HOST_DONE;
		ref = walk_header(c, any_host);
	} else {
		u32 from;

		if (!walk_next_name(c, flags))
			return 0;
		from = walk_forget(c, k->from);
		ref = walk_host(c, from, k->to - from);
	}
	if (ref == TABLE_NO_REF)
		return 0;
	w = walk_word(c, ref);
	k->set = w;
	k->sets = w >> 32;
	return 0;
}

/* The next automaton of the set at hand, of the next set, of the next host. */
static long walk_set_cb(u32 i, void *ctx)
{
	struct walk_ctx *c = ctx;
	struct walk_work *k = &c->m->work;
	u32 root = k->regex;

	k->regex = 0;
	if (!root) {
		u64 roots, more;

		if (!k->sets && walk_next_host(c))
			return 1;
		if (!k->sets)
			return 0;
		roots = walk_word(c, k->set);
		more = walk_word(c, k->set + 8);
		k->set += sizeof(struct weir_table_set);
		k->sets--;
		k->last = more >> 32;
		if ((u32)roots && !walk_fits(c, roots))
			return k->last && k->best != TABLE_NO_REF;
		k->regex = more;
		root = roots >> 32;
	}
	if (root)
		walk_run(c, root);
	return k->last && !k->regex && k->best != TABLE_NO_REF;
}

PURE u32 table_gateway(const void *table, u32 mask)
{
	struct walk_ctx c = {.table = table, .mask = mask};

	_Static_assert(WEIR_NO_ID == TABLE_NO_REF, "both say that there is none");
	return walk_header(&c, magic) == WEIR_TABLE_MAGIC ? walk_header(&c, gateway)
							  : WEIR_NO_ID;
}

PURE int table_find(const void *table, u32 mask, const struct weir_head *b,
		    const struct http_head *h, struct route_match *m)
{
	struct walk_ctx c = {.table = table, .mask = mask, .b = b, .h = h, .m = m};
	struct walk_work *k = &m->work;
	u64 ids, rest;
	u32 ref;

	if (walk_header(&c, magic) != WEIR_TABLE_MAGIC)
		return TABLE_ABSENT;
	k->best = TABLE_NO_REF;
	k->best_pos = 0;
	k->host_at = HOST_EXACT;
	k->sets = 0;
	k->regex = 0;
	k->last = 0;
	k->stop = h->path_off + h->path_len;
	/* two automata of each set, two names for each dot of a host */
	pure_loop(2 * WEIR_MAX_ROUTES + 2 * TABLE_HOST_MAX + 4, walk_set_cb, &c);

	ref = k->best;
	if (ref == TABLE_NO_REF)
		ref = walk_header(&c, fallback);
	if (ref == TABLE_NO_REF)
		return TABLE_NONE;
	ids = walk_word(&c, ref);
	rest = walk_word(&c, ref + 8);
	m->route_id = ids;
	m->group_id = ids >> 32;
	m->reply_id = rest;
	m->action = rest >> 32;
	m->flags = rest >> 48;
	m->strip_len = 0;
	if ((m->flags & WEIR_ROUTE_STRIP) && k->best != TABLE_NO_REF)
		m->strip_len = k->best_pos - h->path_off;
	return TABLE_FOUND;
}
