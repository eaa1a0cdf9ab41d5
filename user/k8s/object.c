/* SPDX-License-Identifier: BSD-2-Clause */
/* What all kinds have in common: which ones matter, metadata, parsing. */
#include "k8s/decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct kind_row {
	const char *kind;
	const char *api;       /* the one version that is read */
	const char *old_group; /* where the kind lived before, or NULL */
	size_t size;
	bool is_cluster;
	int (*decode)(struct decoder *d, const struct field *doc, struct object *o);
};

static const struct kind_row kinds[OBJECT_KIND_COUNT] = {
	[OBJECT_INGRESS] = {"Ingress", "networking.k8s.io/v1", "extensions",
			    sizeof(struct ingress), false, decode_ingress},
	[OBJECT_INGRESS_CLASS] = {"IngressClass", "networking.k8s.io/v1", NULL,
				  sizeof(struct ingress_class), true,
				  decode_ingress_class},
	[OBJECT_SERVICE] = {"Service", "v1", NULL, sizeof(struct service), false,
			    decode_service},
	[OBJECT_ENDPOINT_SLICE] = {"EndpointSlice", "discovery.k8s.io/v1", NULL,
				   sizeof(struct endpoint_slice), false, decode_slice},
	[OBJECT_ENDPOINTS] = {"Endpoints", "v1", NULL, sizeof(struct endpoints), false,
			      decode_endpoints},
	[OBJECT_PLUGIN] = {"KongPlugin", "configuration.konghq.com/v1", NULL,
			   sizeof(struct plugin), false, decode_plugin},
	[OBJECT_CLUSTER_PLUGIN] = {"KongClusterPlugin", "configuration.konghq.com/v1",
				   NULL, sizeof(struct plugin), true, decode_plugin},
	[OBJECT_CLASS_PARAMETERS] = {"IngressClassParameters",
				     "configuration.konghq.com/v1alpha1", NULL,
				     sizeof(struct class_parameters), false,
				     decode_class_parameters},
	[OBJECT_UPSTREAM_POLICY] = {"KongUpstreamPolicy",
				    "configuration.konghq.com/v1beta1", NULL,
				    sizeof(struct upstream_policy), false,
				    decode_upstream_policy},
};

const char *object_kind_text(enum object_kind kind)
{
	return kinds[kind].kind;
}

const char *object_text(const struct object *o, char *text)
{
	const char *name = o->name ? o->name : "without a name";

	if (o->name && o->ns && *o->ns)
		snprintf(text, OBJECT_TEXT, "%s %s/%s", kinds[o->kind].kind, o->ns,
			 name);
	else
		snprintf(text, OBJECT_TEXT, "%s %s", kinds[o->kind].kind, name);
	return text;
}

const char *object_annotation(const struct object *o, const char *key)
{
	size_t i;

	for (i = 0; i < o->annotation_count; i++)
		if (!strcmp(o->annotations[i].key, key))
			return o->annotations[i].value;
	return NULL;
}

void object_free(struct object *o)
{
	struct pool pool;

	if (!o)
		return;
	vec_free(&o->warnings);
	pool = o->pool; /* the object itself lives in it */
	pool_free(&pool);
}

/* Characters of DNS names, RFC 1123; `dots` for subdomains. */
static bool is_name(const char *s, bool dots)
{
	size_t len = strlen(s);

	if (!len || len > 253 || *s == '-' || *s == '.' || s[len - 1] == '-' ||
	    s[len - 1] == '.')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len &&
	       (dots || !strchr(s, '.'));
}

static bool two_digits(const char *s, int *out)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*out = (s[0] - '0') * 10 + s[1] - '0';
	return true;
}

/* RFC 3339: 2024-01-01T00:00:00Z, with a fraction or an offset. */
static bool read_time(const char *s, int64_t *out)
{
	int century, year, month, day, hour, minute, second, oh, om;
	struct tm tm = {};
	int64_t t;

	if (strlen(s) < 20 || !two_digits(s, &century) || !two_digits(s + 2, &year) ||
	    s[4] != '-' || !two_digits(s + 5, &month) || s[7] != '-' ||
	    !two_digits(s + 8, &day) || !strchr("Tt ", s[10]) ||
	    !two_digits(s + 11, &hour) || s[13] != ':' ||
	    !two_digits(s + 14, &minute) || s[16] != ':' ||
	    !two_digits(s + 17, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	t = timegm(&tm);
	s += 19;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if ((*s == '+' || *s == '-') && two_digits(s + 1, &oh) && s[3] == ':' &&
	    two_digits(s + 4, &om) && !s[6])
		t -= (*s == '-' ? -1 : 1) * (oh * 3600 + om * 60);
	else if ((*s != 'Z' && *s != 'z') || s[1])
		return false;
	*out = t;
	return true;
}

static int decode_strings(struct decoder *d, const struct field *meta, const char *key,
			  struct key_value **out, size_t *count)
{
	struct field map, f;
	struct key_value *kv;
	uint32_t i;
	int ret;

	ret = decode_child(d, meta, key, NODE_MAP, &map);
	if (ret || !map.node)
		return ret;
	kv = pool_array(&d->object->pool, map.node->count, sizeof(*kv));
	if (!kv)
		return decode_memory(d);
	for (i = 0; i < map.node->count; i++) {
		const struct node_pair *pair = &map.node->pair[i];

		kv[i].key = pool_strdup(&d->object->pool, pair->key->text);
		kv[i].value = "";
		kv[i].at = decode_place(d, pair->value);
		f = (struct field){.up = &map, .key = kv[i].key, .node = pair->value};
		if (pair->value->type == NODE_NULL)
			continue;
		ret = decode_expect(d, &f, NODE_STRING);
		if (ret)
			return ret;
		kv[i].value = pool_strdup(&d->object->pool, pair->value->text);
		if (!kv[i].key || !kv[i].value)
			return decode_memory(d);
	}
	*out = kv;
	*count = map.node->count;
	return 0;
}

static int decode_created(struct decoder *d, const struct field *meta)
{
	struct field f;
	int ret;

	d->object->created = CREATED_UNKNOWN;
	ret = decode_child(d, meta, "creationTimestamp", NODE_STRING, &f);
	if (ret || !f.node)
		return ret;
	if (!read_time(f.node->text, &d->object->created))
		return decode_fail(d, &f,
				   "\"%.40s\" is not a time like "
				   "2024-01-01T00:00:00Z",
				   f.node->text);
	return 0;
}

static int decode_names(struct decoder *d, const struct field *meta, bool is_cluster)
{
	struct field f = {.up = meta, .key = "name"};
	struct object *o = d->object;
	int ret;

	o->ns = is_cluster ? "" : "default";
	ret = decode_string(d, meta, "name", &o->name);
	if (!ret && !is_cluster)
		ret = decode_string(d, meta, "namespace", &o->ns);
	if (ret)
		return ret;
	if (!is_cluster && !*o->ns)
		o->ns = "default";
	if (!o->name || !*o->name)
		return decode_fail(d, meta, "name is missing");
	f.node = node_get(meta->node, f.key);
	if (!is_name(o->name, true))
		return decode_fail(d, &f,
				   "\"%.80s\" is not a name of lower-case letters, "
				   "digits, - and .",
				   o->name);
	f.key = "namespace";
	f.node = node_get(meta->node, f.key);
	if (!is_cluster && !is_name(o->ns, false))
		return decode_fail(d, &f,
				   "\"%.80s\" is not a name of lower-case letters, "
				   "digits and -",
				   o->ns);
	return 0;
}

static int decode_meta(struct decoder *d, const struct field *doc, bool is_cluster)
{
	struct object *o = d->object;
	char text[OBJECT_TEXT];
	struct field meta;
	int ret;

	ret = decode_child(d, doc, "metadata", NODE_MAP, &meta);
	if (ret)
		return ret;
	if (!meta.node)
		return decode_fail(d, doc, "metadata is missing");
	ret = decode_names(d, &meta, is_cluster);
	if (ret)
		return ret;
	if (!d->has_places) { /* the object's name says where */
		o->at.source = pool_strdup(&o->pool, object_text(o, text));
		if (!o->at.source)
			return decode_memory(d);
	}
	ret = decode_created(d, &meta);
	if (!ret)
		ret = decode_strings(d, &meta, "annotations", &o->annotations,
				     &o->annotation_count);
	if (!ret)
		ret = decode_strings(d, &meta, "labels", &o->labels, &o->label_count);
	return ret;
}

static int fail_document(const struct node *doc, const char *source, struct err *err,
			 const char *what)
{
	err_set(err, -EINVAL, "not a Kubernetes object: %s", what);
	if (source)
		err_where(err, "%s:%u:%u", source, doc->line, doc->column);
	return -EINVAL;
}

static const char *text_of(const struct node *doc, const char *key)
{
	const struct node *n = node_get(doc, key);

	return n && n->type == NODE_STRING && *n->text ? n->text : NULL;
}

/* Length of the group in "group/version"; 0 for the core group. */
static size_t group_len(const char *api)
{
	const char *slash = strchr(api, '/');

	return slash ? (size_t)(slash - api) : 0;
}

static bool same_group(const char *api, const char *group, size_t len)
{
	return group_len(api) == len && !strncmp(api, group, len);
}

static const struct kind_row *find_kind(const char *kind, const char *api)
{
	const struct kind_row *row;
	size_t i;

	for (i = 0; i < OBJECT_KIND_COUNT; i++) {
		row = &kinds[i];
		if (strcmp(row->kind, kind))
			continue;
		if (same_group(api, row->api, group_len(row->api)) ||
		    (row->old_group &&
		     same_group(api, row->old_group, strlen(row->old_group))))
			return row;
	}
	return NULL;
}

static int pass_over(const struct node *doc, const char *source, const char *kind,
		     struct store *notes)
{
	const struct node *meta = node_get(doc, "metadata");
	const char *name = text_of(meta, "name"), *ns = text_of(meta, "namespace");
	struct place at = {source, doc->line, doc->column};

	if (!notes)
		return 0;
	return store_note(notes, at, "%.100s %.100s/%.200s passed over", kind,
			  ns ? ns : "default", name ? name : "?");
}

static struct object *object_new(const struct kind_row *row, const char *source)
{
	struct pool pool = {};
	struct object *o = pool_alloc(&pool, row->size);

	if (!o)
		return NULL;
	o->kind = (enum object_kind)(row - kinds);
	o->at.source = source ? pool_strdup(&pool, source) : "";
	o->pool = pool;
	return o;
}

static int fill_object(struct decoder *d, const struct kind_row *row,
		       const struct node *doc, const char *api)
{
	const struct field root = {.node = doc};
	struct field f = {.up = &root, .key = "apiVersion"};
	struct object *o = d->object;
	int ret;

	f.node = node_get(doc, "apiVersion");
	ret = decode_meta(d, &root, row->is_cluster);
	if (ret)
		return ret;
	if (strcmp(api, row->api))
		return decode_fail(d, f.node ? &f : &root,
				   "%.80s is not served any more; write %s", api,
				   row->api);
	return row->decode(d, &root, o);
}

static int parse_as(const struct node *doc, const char *source, const char *kind,
		    const char *api, struct object **out, struct store *notes,
		    struct err *err)
{
	const struct kind_row *row = find_kind(kind, api);
	struct decoder d = {.kind = kind, .has_places = source, .err = err};
	int ret;

	if (!row) {
		*out = NULL;
		return pass_over(doc, source, kind, notes);
	}
	d.object = object_new(row, source);
	if (!d.object || !d.object->at.source) {
		object_free(d.object);
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (source) {
		d.object->at.line = doc->line;
		d.object->at.column = doc->column;
	}
	d.object->content = node_hash(doc, 0);
	ret = fill_object(&d, row, doc, api);
	if (ret) {
		object_free(d.object);
		return ret;
	}
	*out = d.object;
	return 0;
}

int object_parse(const struct node *doc, const char *source, struct object **out,
		 struct store *notes, struct err *err)
{
	const char *kind, *api;

	if (doc->type != NODE_MAP)
		return fail_document(doc, source, err, node_type_text(doc->type));
	kind = text_of(doc, "kind");
	api = text_of(doc, "apiVersion");
	if (!kind)
		return fail_document(doc, source, err, "kind is missing");
	if (!api)
		return fail_document(doc, source, err, "apiVersion is missing");
	return parse_as(doc, source, kind, api, out, notes, err);
}

static int add_parsed(struct store *s, const struct node *doc, const char *source,
		      const char *kind, const char *api, struct err *err)
{
	struct object *o;
	int ret;

	if (doc->type == NODE_MAP && text_of(doc, "kind"))
		ret = object_parse(doc, source, &o, s, err);
	else if (doc->type == NODE_MAP && kind)
		ret = parse_as(doc, source, kind, api, &o, s, err);
	else
		return fail_document(doc, source, err,
				     doc->type == NODE_MAP ? "kind is missing"
							   : node_type_text(doc->type));
	if (ret || !o)
		return ret;
	ret = store_add(s, o, err);
	if (ret)
		object_free(o);
	return ret;
}

/* `kind: List`, or IngressList and the like, whose items may leave out their
 * kind (an API server's answers do). */
static int add_list(struct store *s, const struct node *doc, const struct node *items,
		    const char *source, const char *kind, struct err *err)
{
	const char *api = text_of(doc, "apiVersion");
	char item_kind[128];
	size_t len = strlen(kind) - strlen("List");
	uint32_t i;
	int ret = 0;

	if (items->type == NODE_NULL)
		return 0;
	if (items->type != NODE_SEQ) {
		err_set(err, -EINVAL, "%.100s: items: expected a list, found %s", kind,
			node_type_text(items->type));
		return err_where(err, "%s:%u:%u", source, items->line, items->column);
	}
	if (len >= sizeof(item_kind))
		len = 0;
	snprintf(item_kind, sizeof(item_kind), "%.*s", (int)len, kind);
	for (i = 0; i < items->count && !ret; i++)
		ret = add_parsed(s, items->item[i], source,
				 len && api ? item_kind : NULL, api, err);
	return ret;
}

int store_add_document(struct store *s, const struct node *doc, const char *source,
		       struct err *err)
{
	const char *kind = text_of(doc, "kind");
	const struct node *items = node_get(doc, "items");
	size_t len = kind ? strlen(kind) : 0;

	if (items && len >= 4 && !strcmp(kind + len - 4, "List"))
		return add_list(s, doc, items, source, kind, err);
	return add_parsed(s, doc, source, NULL, NULL, err);
}
