/* SPDX-License-Identifier: BSD-2-Clause */
/* Kong plugins: request-termination is a kernel-made reply, the rest a gateway's. */
#include "route/annotations.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <weir/reply.h>

#define JSON_TYPE "application/json; charset=utf-8"
#define REPLY_HEAD_ROOM 192u /* status line and the fields beside Content-Type */

static char *keep(struct builder *b, const char *s, bool *failed)
{
	char *copy = s ? strdup(s) : NULL;

	*failed |= s && !copy;
	return copy;
}

static int push_reply(struct builder *b, const char *key, uint16_t status,
		      const char *type, const char *body, const char *location,
		      int *index)
{
	struct ir_reply *r;
	bool failed = false;

	*index = (int)b->ir->replies.len;
	if (strmap_set(&b->replies, key, (uint32_t)*index))
		return build_memory(b);
	r = vec_push(&b->ir->replies);
	if (!r)
		return build_memory(b);
	r->status = status;
	r->content_type = keep(b, type, &failed);
	r->body = keep(b, body, &failed);
	r->location = keep(b, location, &failed);
	return failed ? build_memory(b) : 0;
}

static bool known_reply(const struct builder *b, const char *key, int *index)
{
	uint32_t at;

	if (!strmap_get(&b->replies, key, &at))
		return false;
	*index = (int)at;
	return true;
}

int reply_https(struct builder *b, uint16_t status, int *index)
{
	char key[32];

	snprintf(key, sizeof(key), "https %u", status);
	if (known_reply(b, key, index))
		return 0;
	if (status == 426)
		return push_reply(b, key, status, JSON_TYPE,
				  "{\"message\":\"Please use HTTPS protocol\"}", NULL,
				  index);
	return push_reply(b, key, status, NULL, NULL, IR_LOCATION_HTTPS, index);
}

static struct place place_of(const struct plugin *p, const struct node *n)
{
	struct place at = p->meta.at;

	if (n && at.line) {
		at.line = n->line;
		at.column = n->column;
	}
	return at;
}

static int fail_config(struct builder *b, const struct plugin *p, const struct node *n,
		       const char *field, const char *why)
{
	char text[OBJECT_TEXT];

	return build_fail(b, place_of(p, n), "%.200s: config.%s: %s",
			  object_text(&p->meta, text), field, why);
}

static int config_text(struct builder *b, const struct plugin *p, const char *field,
		       const char **out)
{
	const struct node *n = node_get(p->config, field);
	const char *c;

	if (!n || n->type == NODE_NULL)
		return 0;
	if (n->type != NODE_STRING)
		return fail_config(b, p, n, field, "expected a string");
	for (c = n->text; *c && strcmp(field, "content_type") == 0; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return fail_config(b, p, n, field, "a control character");
	*out = n->text;
	return 0;
}

static const char *default_message(uint16_t status)
{
	switch (status) {
	case 401:
		return "Unauthorized";
	case 404:
		return "Not found";
	case 405:
		return "Method not allowed";
	case 500:
		return "An unexpected error occurred";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service unavailable";
	}
	return NULL;
}

/* {"message":"..."} with the text as a JSON string */
static const char *message_body(struct builder *b, const char *message)
{
	char *body = pool_alloc(&b->pool, strlen(message) * 6 + 16), *out;
	const char *c;

	if (!body)
		return NULL;
	memcpy(body, "{\"message\":\"", 12);
	out = body + 12;
	for (c = message; *c; c++) {
		if (*c == '"' || *c == '\\') {
			*out++ = '\\';
			*out++ = *c;
		} else if ((unsigned char)*c < 0x20) {
			out += snprintf(out, 7, "\\u%04x", (unsigned int)*c);
		} else {
			*out++ = *c;
		}
	}
	memcpy(out, "\"}", 3);
	return body;
}

struct termination {
	uint16_t status;
	const char *message, *body, *type;
	bool echo;
	const char *trigger;
};

static int read_status(struct builder *b, const struct plugin *p, uint16_t *out)
{
	const struct node *n = node_get(p->config, "status_code");

	*out = 503;
	if (!n || n->type == NODE_NULL)
		return 0;
	if (n->type != NODE_INT || n->number < 100 || n->number > 599)
		return fail_config(b, p, n, "status_code",
				   "expected a number from 100 to 599");
	*out = (uint16_t)n->number;
	return 0;
}

static int read_termination(struct builder *b, const struct plugin *p,
			    struct termination *t)
{
	const struct node *echo = node_get(p->config, "echo");
	int ret;

	ret = read_status(b, p, &t->status);
	if (!ret)
		ret = config_text(b, p, "message", &t->message);
	if (!ret)
		ret = config_text(b, p, "body", &t->body);
	if (!ret)
		ret = config_text(b, p, "content_type", &t->type);
	if (!ret)
		ret = config_text(b, p, "trigger", &t->trigger);
	if (ret)
		return ret;
	if (echo && echo->type != NODE_BOOL)
		return fail_config(b, p, echo, "echo", "expected true or false");
	t->echo = echo && echo->number;
	if (t->message && (t->body || t->type))
		return fail_config(b, p, node_get(p->config, "message"), "message",
				   "excludes body and content_type");
	if (t->type && !t->body)
		return fail_config(b, p, node_get(p->config, "content_type"),
				   "content_type", "needs a body");
	return 0;
}

static bool has_no_body(uint16_t status) /* RFC 9110, 6.4.1 */
{
	return status == 204 || status == 304;
}

static int make_termination(struct builder *b, const struct plugin *p, const char *key,
			    struct plugin_effect *e)
{
	struct termination t = {};
	const char *type = NULL, *body = NULL;
	int ret;

	ret = read_termination(b, p, &t);
	if (ret)
		return ret;
	if (t.echo || t.trigger) {
		e->reason = "request-termination with echo or trigger";
		return 0;
	}
	if (t.status < 200) {
		e->reason = "request-termination with an interim status";
		return 0;
	}
	if (!t.message && !t.body)
		t.message = default_message(t.status);
	if (t.body) {
		body = t.body;
		type = t.type ? t.type : JSON_TYPE;
	} else if (t.message) {
		body = message_body(b, t.message);
		type = JSON_TYPE;
		if (!body)
			return build_memory(b);
	}
	if (has_no_body(t.status))
		body = type = NULL;
	if ((body ? strlen(body) + strlen(type) : 0) + REPLY_HEAD_ROOM >
	    WEIR_REPLY_BYTES) {
		e->reason = "request-termination with a long reply";
		return 0;
	}
	if (b->ir->replies.len >= WEIR_MAX_REPLIES - WEIR_REPLY_FIRST_FREE) {
		e->reason = "more replies than the data path keeps";
		return 0;
	}
	return push_reply(b, key, t.status, type, body, NULL, &e->reply);
}

/* A plugin that does not run for plain HTTP would have to be known as such. */
static bool runs_for_http(const struct plugin *p)
{
	uint32_t i;

	if (!p->protocols || !p->protocols->count)
		return true;
	for (i = 0; i < p->protocols->count; i++)
		if (p->protocols->item[i]->type == NODE_STRING &&
		    !strcasecmp(p->protocols->item[i]->text, "http"))
			return true;
	return false;
}

static int apply(struct builder *b, const struct plugin *p, struct plugin_effect *e)
{
	struct plugin_effect own = {.reply = -1};
	char text[OBJECT_TEXT];
	const char *key;
	int ret = 0;

	if (p->disabled || !runs_for_http(p) || e->reason)
		return 0;
	key = pool_strdup(&b->pool, object_text(&p->meta, text));
	if (!key)
		return build_memory(b);
	if (strcmp(p->plugin, "request-termination"))
		own.reason = p->plugin;
	else if (p->has_config_from)
		own.reason = "a configuration in a Secret";
	else if (!known_reply(b, key, &own.reply))
		ret = make_termination(b, p, key, &own);
	if (ret)
		return ret;
	if (own.reason) {
		e->reason = pool_printf(&b->pool, "%s: %s", key, own.reason);
		return e->reason ? 0 : build_memory(b);
	}
	if (e->reply < 0) /* the nearest one runs: Ingress, Service, all */
		e->reply = own.reply;
	return 0;
}

/* A plugin of the object's namespace, else one of the cluster. */
static const struct plugin *find_plugin(const struct builder *b, const char *ns,
					const char *name)
{
	const struct object *o = store_get(b->store, OBJECT_PLUGIN, ns, name);

	if (!o)
		o = store_get(b->store, OBJECT_CLUSTER_PLUGIN, "", name);
	return (const struct plugin *)o;
}

int plugin_read(struct builder *b, const char *ns, const char *names,
		struct plugin_effect *e)
{
	static const char space[] = " \t\r\n";
	const struct plugin *p;
	const char *at = names;
	size_t len;
	char *name;
	int ret = 0;

	while (at && *at && !ret) {
		at += strspn(at, ", \t\r\n");
		len = strcspn(at, ",");
		while (len && strchr(space, at[len - 1]))
			len--;
		if (!len)
			break;
		name = pool_strndup(&b->pool, at, len);
		if (!name)
			return build_memory(b);
		at += strcspn(at, ",");
		p = find_plugin(b, ns, name);
		if (p) {
			ret = apply(b, p, e);
		} else if (!e->reason) {
			e->reason =
				pool_printf(&b->pool, "plugin %s does not exist", name);
			ret = e->reason ? 0 : build_memory(b);
		}
	}
	return ret;
}

int plugin_read_global(struct builder *b, struct plugin_effect *e)
{
	const struct store *s = b->store;
	const struct plugin *p;
	size_t i;
	int ret = 0;

	for (i = 0; i < s->objects[OBJECT_CLUSTER_PLUGIN].len && !ret; i++) {
		p = (const struct plugin *)s->objects[OBJECT_CLUSTER_PLUGIN].item[i];
		if (p->is_global && class_takes_plugin(b, &p->meta))
			ret = apply(b, p, e);
	}
	return ret;
}
