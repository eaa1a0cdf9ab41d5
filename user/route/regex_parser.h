/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the parser share: regex_parse.c, regex_group.c, regex_class.c. */
#pragma once

#include <errno.h>
#include <stddef.h>

#include "base/err.h"
#include "route/regex.h"
#include "route/regex_ast.h"

#define FLAG_FOLD 1u  /* i */
#define FLAG_LINES 2u /* m */
#define FLAG_DOT 4u   /* s: `.` takes \n too */
#define FLAG_SWAP 8u  /* U: lazy unless marked */

struct regex_parser {
	const char *text;
	size_t len, pos;
	struct pool *pool;
	u32 flags;
	u32 depth;
	u32 groups;	    /* capturing ones so far */
	u32 reference;	    /* highest group that a backreference names */
	size_t referrer;    /* and where */
	struct name *names; /* of groups */
	size_t *at;
	struct err *err;
	/* The first thing that we cannot honour. Parsing goes on, because a
	 * pattern that no engine takes is rather an error. */
	bool refused;
	size_t refused_at;
	char refusal[128];
};

/* The byte `ahead` of the next one, -1 behind the end. */
static inline int parser_peek(const struct regex_parser *p, size_t ahead)
{
	return ahead < p->len - p->pos ? (unsigned char)p->text[p->pos + ahead] : -1;
}

/* Takes `word` if it stands next. */
bool parser_take(struct regex_parser *p, const char *word);

/* An error at `at`; returns `code`. */
int parser_fail(struct regex_parser *p, int code, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int parser_memory(struct regex_parser *p);
void parser_refuse(struct regex_parser *p, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The number that stands `ahead` names a group: it must be there in the end. */
u32 parser_reference(struct regex_parser *p, size_t at, size_t ahead);

struct regex_node *parser_node(struct regex_parser *p, enum regex_op op);

/* Alternatives up to a ")" or the end. */
int parse_alternatives(struct regex_parser *p, struct regex_node **out);

/* A "(" stands next. *out is NULL for flags that hold up to the group's end. */
int parse_group(struct regex_parser *p, struct regex_node **out);

/* ---- bytes: regex_class.c ---- */

enum escape_kind {
	ESCAPE_BYTE,
	ESCAPE_SET,
	ESCAPE_LOOK,
	ESCAPE_QUOTE, /* \Q */
	ESCAPE_NONE,  /* \E alone */
	ESCAPE_EMPTY, /* refused */
};

struct escape {
	enum escape_kind kind;
	u32 byte;
	struct byte_set set;
	enum regex_look look;
};

/* A "\" stands next. */
int parse_escape(struct regex_parser *p, bool in_class, struct escape *out);

/* A "[" stands next. */
int parse_class(struct regex_parser *p, struct byte_set *out);

void byte_set_fold(struct byte_set *s);
