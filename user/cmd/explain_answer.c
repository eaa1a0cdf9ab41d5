/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/explain_answer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes as a JSON string; what is no UTF-8 becomes U+FFFD. */
static json_t *json_bytes(const char *s, size_t len)
{
	json_t *all = json_stringn(s, len), *one;
	char *text = NULL;
	size_t size, i, n;
	FILE *f;

	if (all)
		return all;
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (i = 0; i < len; i += n) {
		one = NULL;
		for (n = 4; n && !one; n--)
			one = i + n <= len ? json_stringn(s + i, n) : NULL;
		n = one ? n + 1 : 1;
		fwrite(one ? s + i : "\xef\xbf\xbd", one ? n : 3, 1, f);
		json_decref(one);
	}
	fclose(f);
	all = json_stringn(text, size);
	free(text);
	return all;
}

static const char *path_type(const struct ir_route *r)
{
	switch (r->type) {
	case WEIR_PATH_EXACT:
		return "Exact";
	case WEIR_PATH_PREFIX:
		return "Prefix";
	default:
		return "ImplementationSpecific";
	}
}

static json_t *rule_json(const struct ir_route *r)
{
	return json_pack("{s:s, s:s, s:s}", "host", r->host, "path", r->path,
			 "pathType", path_type(r));
}

void answer_json(json_t *doc, const struct explain_answer *a, const char *target,
		 size_t target_len)
{
	const struct ir_route *r = a->route;

	json_object_set_new(doc, "verdict",
			    json_string(explain_verdict_text[a->verdict]));
	if (a->status)
		json_object_set_new(doc, "status", json_integer(a->status));
	if (r) {
		json_object_set_new(doc, "ingress", json_string(r->ingress));
		if (r->type != WEIR_PATH_DEFAULT)
			json_object_set_new(doc, "rule", rule_json(r));
		if (r->action != WEIR_ACTION_REPLY && r->backend && *r->backend)
			json_object_set_new(doc, "backend", json_string(r->backend));
	}
	if (target)
		json_object_set_new(doc, "target", json_bytes(target, target_len));
	json_object_set_new(doc, "reason", json_string(a->reason));
}

void answer_print(const struct explain_answer *a, const char *target, size_t target_len)
{
	const struct ir_route *r = a->route;

	printf("verdict  %s", explain_verdict_text[a->verdict]);
	if (a->status)
		printf(" %u", a->status);
	printf("\n");
	if (r) {
		printf("ingress  %s\n", r->ingress);
		if (r->type != WEIR_PATH_DEFAULT)
			printf("rule     %s %s (%s)\n", *r->host ? r->host : "*",
			       r->path, path_type(r));
		if (r->action != WEIR_ACTION_REPLY && r->backend && *r->backend)
			printf("backend  %s\n", r->backend);
	}
	if (target)
		printf("target   %.*s\n", (int)target_len, target);
	printf("reason   %s\n", a->reason);
}

/* ---- the second best ---- */

json_t *second_json(const struct explain_second *s)
{
	const struct ir_route *r = s->route;
	json_t *doc = json_pack("{s:s, s:s}", "ingress", r->ingress, "why", s->why);

	if (r->type != WEIR_PATH_DEFAULT)
		json_object_set_new(doc, "rule", rule_json(r));
	if (r->backend && *r->backend)
		json_object_set_new(doc, "backend", json_string(r->backend));
	return doc;
}

void second_print(const struct explain_second *s)
{
	const struct ir_route *r = s->route;

	printf("next     %s", r->ingress);
	if (r->type == WEIR_PATH_DEFAULT)
		printf(" (default backend)");
	else
		printf(" %s %s (%s)", *r->host ? r->host : "*", r->path, path_type(r));
	printf("; decided by: %s\n", s->why);
}

/* ---- heads and hellos ---- */

/* The version behind a target, or NULL when none is there. */
static json_t *version_json(const char *bytes, size_t len, const struct http_head *h)
{
	size_t at = h->target_off + h->target_len + 1;

	if (!h->target_len || at + 8 > len || memcmp(bytes + at, "HTTP/", 5))
		return json_null();
	return json_bytes(bytes + at + 5, 3);
}

static json_t *host_json(const char *bytes, const struct http_head *h)
{
	char name[WEIR_HEAD_MAX];
	size_t i;

	if (!h->host_off)
		return json_null();
	for (i = 0; i < h->host_len; i++)
		name[i] = (char)tolower((unsigned char)bytes[h->host_off + i]);
	return json_bytes(name, i);
}

json_t *http_json(const char *bytes, size_t len, const struct http_head *h)
{
	bool is_whole = h->head_len;
	json_t *doc = json_object();

	json_object_set_new(doc, "method",
			    h->method_len
				    ? json_bytes(bytes + h->method_off, h->method_len)
				    : json_null());
	json_object_set_new(doc, "target",
			    h->target_len
				    ? json_bytes(bytes + h->target_off, h->target_len)
				    : json_null());
	json_object_set_new(doc, "host", is_whole ? host_json(bytes, h) : json_null());
	json_object_set_new(doc, "port",
			    is_whole && h->host_port ? json_integer(h->host_port)
						     : json_null());
	json_object_set_new(doc, "version", version_json(bytes, len, h));
	json_object_set_new(doc, "content_length",
			    h->flags & HEAD_LENGTH ? json_integer(h->content_length)
						   : json_null());
	json_object_set_new(doc, "chunked", json_boolean(h->flags & HEAD_CHUNKED));
	json_object_set_new(doc, "keep_alive",
			    is_whole ? json_boolean(!(h->flags & HEAD_CLOSE))
				     : json_null());
	json_object_set_new(doc, "upgrade", json_boolean(h->flags & HEAD_UPGRADE));
	json_object_set_new(doc, "head_bytes",
			    is_whole ? json_integer(h->head_len) : json_null());
	return doc;
}

json_t *hello_json(const struct tls_hello *hello)
{
	json_t *doc = json_object(), *list = json_array();
	size_t i;

	json_object_set_new(doc, "sni",
			    *hello->sni ? json_bytes(hello->sni, strlen(hello->sni))
					: json_null());
	for (i = 0; i < hello->protocol_count; i++)
		json_array_append_new(list, json_bytes(hello->protocols[i],
						       strlen(hello->protocols[i])));
	json_object_set_new(doc, "alpn", list);
	return doc;
}
