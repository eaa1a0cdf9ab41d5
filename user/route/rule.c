/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts and paths as configured: checked as the API server does, then brought
 * into the form in which requests are matched. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "route/annotations.h"
#include "route/regex.h"

static bool is_dns_name(const char *s)
{
	size_t len = strlen(s), i;

	if (!len || len > 253)
		return false;
	for (i = 0; i < len; i++) {
		bool edge = !i || s[i - 1] == '.' || i + 1 == len || s[i + 1] == '.';

		if (islower((unsigned char)s[i]) || isdigit((unsigned char)s[i]))
			continue;
		if (s[i] == '.' && !(i == 0 || s[i - 1] == '.'))
			continue;
		if (s[i] == '-' && !edge)
			continue;
		return false;
	}
	return s[len - 1] != '.';
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

static bool looks_like_address(const char *s)
{
	struct weir_addr addr;

	return addr_parse(s, &addr) == 0;
}

/* A star at the end is Kong's; the Ingress API has it in front only. */
static enum ir_host_kind host_kind(const struct builder *b, const char *name)
{
	if (!strncmp(name, "*.", 2))
		return IR_HOST_WILDCARD;
	if (b->opt->dialect == DIALECT_KONG && ends_with(name, ".*"))
		return IR_HOST_TRAILING;
	return IR_HOST_EXACT;
}

static bool is_name_of_kind(struct builder *b, const char *name, enum ir_host_kind kind)
{
	const char *core;

	if (kind == IR_HOST_WILDCARD)
		return is_dns_name(name + 2);
	if (kind != IR_HOST_TRAILING)
		return is_dns_name(name);
	core = pool_strndup(&b->pool, name, strlen(name) - 2);
	return core && is_dns_name(core);
}

/* Lower case and without the final dot: names compare without either. */
int rule_read_host(struct builder *b, const char *host, struct place at,
		   const struct subject *what, struct rule_host *out)
{
	size_t len = strlen(host), i;
	char *name;

	if (!len) {
		*out = (struct rule_host){IR_HOST_ANY, ""};
		return 0;
	}
	if (looks_like_address(host))
		return build_fail(b, at,
				  "%s: \"%.80s\": a DNS name is needed, not an "
				  "address",
				  subject_text(b, what), host);
	name = pool_strdup(&b->ir->pool, host);
	if (!name)
		return build_memory(b);
	for (i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	out->text = name;
	out->kind = host_kind(b, name);
	if (is_name_of_kind(b, name, out->kind))
		return 0;
	if (strchr(name, ':'))
		return build_fail(b, at, "%s: \"%.80s\": a host has no port here",
				  subject_text(b, what), host);
	return build_fail(b, at,
			  "%s: \"%.80s\": not a DNS name, nor *. in front of one",
			  subject_text(b, what), host);
}

static int hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Escapes as requests have them decoded: reserved characters stay encoded, in
 * upper case. False: no request's path can look like this.
 */
static bool decode_escapes(const char *from, char *to)
{
	static const char upper[] = "0123456789ABCDEF";
	int high, low, c;

	for (; *from; from++) {
		if (*from == '?')
			return false;
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = hex_value(from[1]);
		low = high < 0 ? -1 : hex_value(from[2]);
		if (low < 0)
			return false;
		c = high * 16 + low;
		if (!c)
			return false;
		from += 2;
		if (strchr("!*'();:@&=+$,/?%#[]", c)) {
			*to++ = '%';
			*to++ = upper[high];
			*to++ = upper[low];
		} else {
			*to++ = (char)c;
		}
	}
	*to = '\0';
	return true;
}

/* Runs of slashes become one; returns whether there was a run. */
static bool merge_slashes(char *path)
{
	char *to = path, *from;
	bool changed = false;

	for (from = path; *from; from++) {
		if (*from == '/' && to > path && to[-1] == '/')
			changed = true;
		else
			*to++ = *from;
	}
	*to = '\0';
	return changed;
}

/* What the API server refuses in Exact and Prefix paths, `//` excepted. */
static const char *bad_part(const char *raw, const char *path, bool is_whole)
{
	if (strcasestr(raw, "%2f"))
		return "%2f";
	if (strstr(path, "/./"))
		return "/./";
	if (strstr(path, "/../"))
		return "/../";
	if (is_whole && ends_with(path, "/."))
		return "/.";
	if (is_whole && ends_with(path, "/.."))
		return "/..";
	return NULL;
}

static int read_literal(struct builder *b, const struct ingress_path *p,
			const struct subject *what, struct rule_path *out)
{
	char *path = pool_alloc(&b->pool, strlen(out->text) + 1);
	const char *bad;
	size_t len;
	int ret;

	if (!path)
		return build_memory(b);
	if (*out->text != '/')
		return build_fail(b, p->at, "%s.path: \"%.80s\": must begin with /",
				  subject_text(b, what), out->text);
	if (!decode_escapes(out->text, path)) {
		ret = build_warn(b, p->at,
				 "%s.path: \"%.80s\": no request can match it",
				 subject_text(b, what), out->text);
		if (ret)
			return ret;
		memcpy(path, out->text, strlen(out->text) + 1);
	}
	if (merge_slashes(path)) {
		ret = build_warn(b, p->at, "%s.path: \"%.80s\": // means the same as /",
				 subject_text(b, what), out->text);
		if (ret)
			return ret;
	}
	bad = bad_part(out->text, path, out->type != WEIR_PATH_IMPLEMENTATION);
	if (bad)
		return build_fail(b, p->at, "%s.path: \"%.80s\": must not contain %s",
				  subject_text(b, what), out->text, bad);
	len = strlen(path);
	if (out->type == WEIR_PATH_PREFIX && path[len - 1] == '/')
		path[len - 1] = '\0';
	out->match = path;
	return 0;
}

/* Takes more requests than the pattern. */
const char *rule_literal_prefix(struct builder *b, const char *pattern)
{
	char *text = pool_alloc(&b->pool, strlen(pattern) + 2), *to = text;
	const char *c = pattern + (*pattern == '^');

	if (!text)
		return NULL;
	for (; *c && !strchr("|", *c) && !strchr(".[](){}*+?$^", *c); c++) {
		if (*c == '\\' && (!c[1] || isalnum((unsigned char)c[1])))
			break;
		c += *c == '\\';
		*to++ = *c;
	}
	if (*c && strchr("*?{", *c) && to > text) /* the last one is optional */
		to--;
	*to = '\0';
	if (strchr(pattern, '|') || *text != '/')
		memcpy(text, "/", 2);
	return text;
}

int rule_try_regex(struct builder *b, const char *pattern, const char **reason,
		   size_t *off, struct err *why)
{
	struct dfa_pattern one = {.length = true};
	struct regex *re = NULL;
	struct dfa dfa;
	int r = regex_parse(pattern, strlen(pattern), &re, off, why);

	*reason = NULL;
	if (r == -EINVAL)
		return r;
	if (r == -EOPNOTSUPP)
		*reason = pool_printf(&b->pool, "a regular expression with %s",
				      why->what);
	else if (r == -E2BIG)
		*reason = "a regular expression over the limits";
	else if (r)
		return build_memory(b);
	if (r)
		return *reason ? 0 : build_memory(b);
	one.re = re;
	r = dfa_build(&one, 1, NULL, &dfa, why);
	if (!r)
		dfa_free(&dfa);
	regex_free(re);
	if (r == -E2BIG)
		*reason = "a regular expression that takes too large an automaton";
	return r == -ENOMEM ? build_memory(b) : 0;
}

static int judge_regex(struct builder *b, const char *pattern, struct place at,
		       const struct subject *what, const char **reason)
{
	struct err why = {};
	size_t off = 0;
	int r = rule_try_regex(b, pattern, reason, &off, &why);

	if (r != -EINVAL)
		return r;
	return build_fail(b, at, "%s.path: \"%.80s\": %s (at %zu of the pattern)",
			  subject_text(b, what), pattern, why.what, off);
}

static int read_regex(struct builder *b, const char *pattern, struct place at,
		      const struct subject *what, struct rule_path *out)
{
	int r;

	out->type = WEIR_PATH_REGEX;
	out->match = *pattern ? pattern : "/";
	r = judge_regex(b, out->match, at, what, &out->reason);
	if (r || !out->reason)
		return r;
	out->type = WEIR_PATH_IMPLEMENTATION;
	out->match = rule_literal_prefix(b, pattern);
	return out->match ? 0 : build_memory(b);
}

/* Kong's ingress controller makes /a$ of Exact /a and of Prefix /a, and escapes
 * nothing: signs in the path act. Kong refuses what is no pattern then. */
static int read_pattern(struct builder *b, const struct ingress_path *p,
			const struct subject *what, struct rule_path *out)
{
	struct err why = {};
	const char *pattern;
	size_t off = 0;
	int ret;

	if (!strpbrk(out->match, RULE_PATTERN_SIGNS))
		return 0;
	pattern = pool_printf(&b->pool, "%s$", out->match);
	if (!pattern)
		return build_memory(b);
	ret = rule_try_regex(b, pattern, &out->reason, &off, &why);
	if (ret == -EINVAL)
		return build_warn(b, p->at,
				  "%s.path: \"%.80s\": literal here: Kong refuses all "
				  "its configuration for it: %s",
				  subject_text(b, what), out->text, why.what);
	if (!ret && !out->reason)
		out->pattern = pattern;
	return ret;
}

/* Kong 2 took every path with another character for a pattern. */
static bool is_plain(const char *path)
{
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-_~/%")] == '\0';
}

int rule_read_path(struct builder *b, const struct ingress_path *p,
		   const struct subject *what, const struct meaning *m,
		   struct rule_path *out)
{
	size_t len = strlen(m->regex_prefix);
	int ret;

	*out = (struct rule_path){.text = p->path ? p->path : ""};
	switch (p->kind) {
	case PATH_KIND_EXACT:
		out->type = WEIR_PATH_EXACT;
		break;
	case PATH_KIND_PREFIX:
		out->type = WEIR_PATH_PREFIX;
		break;
	default:
		out->type = WEIR_PATH_IMPLEMENTATION;
		if (!strncmp(out->text, m->regex_prefix, len))
			return read_regex(b, out->text + len, p->at, what, out);
		if (b->legacy_regex && !is_plain(out->text))
			return read_regex(b, out->text, p->at, what, out);
		if (!*out->text) {
			out->match = "/";
			return 0;
		}
	}
	ret = read_literal(b, p, what, out);
	if (ret || b->opt->dialect != DIALECT_KONG ||
	    out->type == WEIR_PATH_IMPLEMENTATION)
		return ret;
	return read_pattern(b, p, what, out);
}
