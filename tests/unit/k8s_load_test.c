/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML, JSON, files and directories -> objects. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "k8s/load.h"

static int add(const struct node *doc, void *ctx, struct err *err)
{
	return store_add_document(ctx, doc, "test", err);
}

static int read_yaml(struct store *s, const char *text, struct err *err)
{
	return node_read_yaml(text, strlen(text), "test", add, s, err);
}

static int read_json(struct store *s, const char *text, struct err *err)
{
	return node_read_json(text, strlen(text), "test", add, s, err);
}

/* The value below "v" of the last document, as "TYPE TEXT". */
static int note_value(const struct node *doc, void *ctx, struct err *err)
{
	const struct node *n = node_get(doc, "v");
	char *out = ctx;

	assert_non_null(n);
	if (n->type >= NODE_SEQ)
		snprintf(out, 200, "%s of %u", node_type_text(n->type), n->count);
	else
		snprintf(out, 200, "%s %s", node_type_text(n->type), n->text);
	return 0;
}

static void check_value(bool json, const char *text, const char *expected)
{
	char got[200] = "";
	struct err err = {};
	int ret;

	ret = json ? node_read_json(text, strlen(text), "test", note_value, got, &err)
		   : node_read_yaml(text, strlen(text), "test", note_value, got, &err);
	if (ret)
		snprintf(got, sizeof(got), "%.100s (%.80s)", err.what, err.where);
	assert_string_equal(got, expected);
}

static void test_yaml_scalars(void **state)
{
	check_value(false, "v: 80", "a number 80");
	check_value(false, "v: \"80\"", "a string 80");
	check_value(false, "v: '80'", "a string 80");
	check_value(false, "v: !!str 80", "a string 80");
	check_value(false, "v: 0x50", "a number 0x50");
	check_value(false, "v: -1", "a number -1");
	check_value(false, "v: 80x", "a string 80x");
	check_value(false, "v: 1.10", "a fraction 1.10");
	check_value(false, "v: 1e3", "a fraction 1e3");
	check_value(false, "v: 1.1.1", "a string 1.1.1");
	check_value(false, "v: yes", "a boolean yes");
	check_value(false, "v: Off", "a boolean Off");
	check_value(false, "v: yess", "a string yess");
	check_value(false, "v:", "null ");
	check_value(false, "v: ~", "null ~");
	check_value(false, "v: ''", "a string ");
	check_value(false, "v: |\n  a\n  b\n", "a string a\nb\n");
	check_value(false, "v: /~/a", "a string /~/a");
	check_value(false, "v: [a, b]", "a list of 2");
	check_value(false, "v: {}", "a mapping of 0");
	check_value(false, "v: \"a\\0b\"",
		    "not valid YAML: a NUL character in a string (test:1:4)");
}

static void test_yaml_aliases(void **state)
{
	check_value(false, "a: &x [1, 2]\nv: *x", "a list of 2");
	check_value(false, "a: &x 1\nb: &x 2\nv: *x", "a number 2");
	check_value(false, "b: &x {p: 1, q: 2}\nv:\n  <<: *x\n  q: 3\n  r: 4\n",
		    "a mapping of 3");
	check_value(false, "b: [&x {p: 1}, &y {p: 2, q: 3}]\nv: {<<: [*x, *y]}\n",
		    "a mapping of 2");
	check_value(
		false, "v: {<<: 1}",
		"not valid YAML: << takes a mapping or a list of mappings (test:1:10)");
	check_value(false, "a: &x [*x]\nv: 1",
		    "not valid YAML: an alias of a node that contains it (test:1:8)");
}

static void test_json_values(void **state)
{
	check_value(true, "{\"v\": \"a\\u00e9\\ud83d\\ude00\\n\\/\"}",
		    "a string a\u00e9\U0001f600\n/");
	check_value(true, "{\"v\": -0.5e+7}", "a fraction -0.5e+7");
	check_value(true, "{\"v\": 80}", "a number 80");
	check_value(true, "{\"v\": true}", "a boolean true");
	check_value(true, "\xef\xbb\xbf{\"v\": null}", "null null");
	check_value(true, "{\"v\": [[], {}]}", "a list of 2");
	check_value(true, "{\"v\": 1} {\"v\": 2}", "a number 2");
	check_value(true, "{\"v\": 01}", "not valid JSON: a wrong number (test:1:7)");
	check_value(true, "{\"v\": yes}",
		    "not valid JSON: a value is missing (test:1:7)");
	check_value(true, "{\"v\": \"\x80\"}",
		    "not valid JSON: a string that is not UTF-8 (test:1:8)");
	check_value(true, "{\"v\": \"a\tb\"}",
		    "not valid JSON: a control character in a string (test:1:9)");
	check_value(true, "{\"v\": \"\\u0000\"}",
		    "not valid JSON: a NUL character in a string (test:1:14)");
	check_value(true, "{\n  \"\u00e9\u00e9\": 1, x}",
		    "not valid JSON: expected a key in quotes (test:2:12)");
	check_value(true, "{\"v\": 1,\n \"v\": 2}",
		    "duplicate key \"v\": it already stands at 1:2 (test:2:2)");
	check_value(true, "{\"b\": 1,\n\"b\": 2,\n\"a\": 1,\n\"a\": 2}",
		    "duplicate key \"b\": it already stands at 1:2 (test:2:1)");
	check_value(true, "{\"v\": [1 2]}",
		    "not valid JSON: expected , or ] in a list (test:1:10)");
}

/* 100 levels are read, 101 are not. */
static void test_depth(void **state)
{
	char text[512] = "{\"v\": ";
	size_t len = strlen(text), i, levels;

	for (levels = 99; levels <= 100; levels++) {
		memset(text + len, '[', levels);
		memset(text + len + levels, ']', levels);
		memcpy(text + len + 2 * levels, "}", 2);
		for (i = 0; i < 2; i++) {
			char got[200] = "";
			struct err err = {};
			int ret;

			ret = i ? node_read_json(text, strlen(text), "t", note_value,
						 got, &err)
				: node_read_yaml(text, strlen(text), "t", note_value,
						 got, &err);
			assert_int_equal(ret != 0, levels == 100);
		}
	}
}

#define INGRESS                                                           \
	"apiVersion: networking.k8s.io/v1\n"                              \
	"kind: Ingress\n"                                                 \
	"metadata:\n"                                                     \
	"  name: web\n"                                                   \
	"  namespace: shop\n"                                             \
	"  creationTimestamp: 2024-01-01T02:00:00+02:00\n"                \
	"  annotations: {konghq.com/strip-path: \"true\"}\n"              \
	"spec:\n"                                                         \
	"  ingressClassName: kong\n"                                      \
	"  tls: [{hosts: [a.example]}]\n"                                 \
	"  defaultBackend: {resource: {kind: Bucket, name: b}}\n"         \
	"  rules:\n"                                                      \
	"    - host: a.example\n"                                         \
	"      http:\n"                                                   \
	"        paths:\n"                                                \
	"          - path: /x\n"                                          \
	"            pathType: Exact\n"                                   \
	"            backend: {service: {name: s, port: {name: http}}}\n" \
	"          - pathType: Prefix\n"                                  \
	"            path: /\n"                                           \
	"            backend: {service: {name: s, port: {number: 81}}}\n"

static void test_ingress(void **state)
{
	const struct ingress *ing;
	const struct ingress_path *p;
	struct store s = {};
	struct err err = {};

	assert_int_equal(read_yaml(&s, INGRESS, &err), 0);
	ing = (struct ingress *)store_get(&s, OBJECT_INGRESS, "shop", "web");
	assert_non_null(ing);
	assert_int_equal(ing->meta.created, 1704067200);
	assert_string_equal(object_annotation(&ing->meta, "konghq.com/strip-path"),
			    "true");
	assert_null(object_annotation(&ing->meta, "konghq.com/methods"));
	assert_string_equal(ing->class_name, "kong");
	assert_true(ing->has_tls);
	assert_int_equal(ing->default_backend.kind, BACKEND_RESOURCE);
	assert_string_equal(ing->default_backend.name, "Bucket/b");
	assert_int_equal(ing->rule_count, 1);
	assert_string_equal(ing->rules[0].host, "a.example");
	assert_int_equal(ing->rules[0].at.line, 13);
	assert_int_equal(ing->rules[0].path_count, 2);
	p = ing->rules[0].paths;
	assert_int_equal(p[0].kind, PATH_KIND_EXACT);
	assert_string_equal(p[0].path, "/x");
	assert_string_equal(p[0].backend.port_name, "http");
	assert_int_equal(p[1].kind, PATH_KIND_PREFIX);
	assert_int_equal(p[1].at.line, 20);
	assert_int_equal(p[1].at.column, 19);
	assert_int_equal(p[1].backend.port, 81);
	assert_null(p[1].backend.port_name);
	store_free(&s);
}

static void test_slice(void **state)
{
	const struct endpoint_slice *e;
	struct store s = {};
	struct err err = {};

	assert_int_equal(
		read_yaml(&s,
			  "apiVersion: discovery.k8s.io/v1\n"
			  "kind: EndpointSlice\n"
			  "metadata: {name: s-1, labels: {kubernetes.io/service-name: "
			  "s}}\n"
			  "addressType: IPv4\n"
			  "ports: [{port: 80, name: null}, {port: 53, protocol: UDP}]\n"
			  "endpoints:\n"
			  "  - {addresses: [10.0.0.1, 10.0.0.9]}\n"
			  "  - {addresses: [10.0.0.2], conditions: {ready: null}}\n"
			  "  - {addresses: [10.0.0.3], conditions: {ready: false}}\n"
			  "  - addresses: [10.0.0.4]\n"
			  "    conditions: {ready: false, serving: true, terminating: "
			  "true}\n",
			  &err),
		0);
	e = (struct endpoint_slice *)store_get(&s, OBJECT_ENDPOINT_SLICE, "default",
					       "s-1");
	assert_non_null(e);
	assert_string_equal(e->service, "s");
	assert_int_equal(e->set.port_count, 2);
	assert_string_equal(e->set.ports[0].name, "");
	assert_true(e->set.ports[0].is_tcp);
	assert_false(e->set.ports[1].is_tcp);
	assert_int_equal(e->set.address_count, 4);
	assert_string_equal(e->set.addresses[0].address, "10.0.0.1");
	assert_true(e->set.addresses[0].ready);
	assert_true(e->set.addresses[1].ready);
	assert_false(e->set.addresses[2].ready);
	assert_false(e->set.addresses[2].draining);
	assert_true(e->set.addresses[3].draining);
	store_free(&s);
}

static void test_lists(void **state)
{
	struct store s = {};
	struct err err = {};

	assert_int_equal(
		read_yaml(&s,
			  "apiVersion: v1\nkind: List\nitems:\n"
			  "- {apiVersion: v1, kind: Service, metadata: {name: a}}\n"
			  "- {apiVersion: apps/v1, kind: Deployment, metadata: {name: "
			  "a}}\n"
			  "---\n# nothing\n---\n"
			  "apiVersion: v1\nkind: ServiceList\nitems: [{metadata: "
			  "{name: b}}]\n",
			  &err),
		0);
	assert_int_equal(read_json(&s,
				   "{\"apiVersion\": \"v1\", \"kind\": \"Service\","
				   " \"metadata\": {\"name\": \"c\"}}",
				   &err),
			 0);
	assert_int_equal(s.objects[OBJECT_SERVICE].len, 3);
	assert_non_null(store_get(&s, OBJECT_SERVICE, "default", "b"));
	assert_int_equal(s.notes.len, 1);
	assert_string_equal(s.notes.item[0].text, "Deployment default/a passed over");
	store_free(&s);
}

/* An Ingress of another API group is somebody else's object. */
static void test_other_groups(void **state)
{
	struct store s = {};
	struct err err = {};

	assert_int_equal(read_yaml(&s,
				   "apiVersion: config.openshift.io/v1\nkind: Ingress\n"
				   "metadata: {name: cluster}\n"
				   "---\n"
				   "apiVersion: serving.knative.dev/v1\nkind: Service\n"
				   "metadata: {name: hello, namespace: x}\n",
				   &err),
			 0);
	assert_int_equal(s.count, 0);
	assert_int_equal(s.notes.len, 2);
	assert_string_equal(s.notes.item[1].text, "Service x/hello passed over");
	store_free(&s);
}

static void test_unknown_fields(void **state)
{
	const struct object *o;
	struct store s = {};
	struct err err = {};

	assert_int_equal(read_yaml(&s,
				   "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
				   "metadata: {name: web}\n"
				   "spec:\n"
				   "  ingressClass: kong\n"
				   "  rules: [{hosts: a}]\n",
				   &err),
			 0);
	o = store_get(&s, OBJECT_INGRESS, "default", "web");
	assert_int_equal(o->warnings.len, 2);
	assert_string_equal(
		o->warnings.item[0].text,
		"Ingress default/web: spec.ingressClass: unknown field, ignored");
	assert_string_equal(o->warnings.item[1].text,
			    "Ingress default/web: spec.rules[0].hosts: unknown field, "
			    "ignored");
	assert_int_equal(o->warnings.item[1].at.line, 6);
	store_free(&s);
}

static int keep_object(const struct node *doc, void *ctx, struct err *err)
{
	return object_parse(doc, NULL, ctx, NULL, err);
}

static struct object *object_of(const char *text, struct err *err)
{
	struct object *o = NULL;

	node_read_yaml(text, strlen(text), "unused", keep_object, &o, err);
	return o;
}

/* As the API server's objects come: no file, and replaced by newer versions. */
static void test_replace_and_remove(void **state)
{
	char text[PLACE_TEXT], doc[200];
	struct store s = {};
	struct err err = {};
	int i;

	for (i = 0; i < 300; i++) {
		snprintf(doc, sizeof(doc),
			 "{apiVersion: v1, kind: Service, metadata: {name: s%d}}",
			 i % 150);
		assert_int_equal(store_replace(&s, object_of(doc, &err)), 0);
	}
	assert_int_equal(s.count, 150);
	assert_string_equal(
		place_text(store_get(&s, OBJECT_SERVICE, "default", "s7")->at, text),
		"Service default/s7");
	for (i = 0; i < 150; i += 2) {
		snprintf(doc, sizeof(doc), "s%d", i);
		assert_true(store_remove(&s, OBJECT_SERVICE, "default", doc));
		assert_false(store_remove(&s, OBJECT_SERVICE, "default", doc));
	}
	assert_int_equal(s.objects[OBJECT_SERVICE].len, 75);
	for (i = 0; i < 150; i++) {
		snprintf(doc, sizeof(doc), "s%d", i);
		assert_int_equal(!!store_get(&s, OBJECT_SERVICE, "default", doc),
				 i % 2);
	}
	assert_null(object_of("{apiVersion: v1, kind: Service, metadata: {name: s, "
			      "annotations: {a: 1}}}",
			      &err));
	assert_string_equal(err.what,
			    "Service default/s: metadata.annotations.a: expected "
			    "a string, found a number (1): quote it");
	assert_string_equal(err.where, "Service default/s");
	store_free(&s);
}

static size_t count_slices(const struct store *s, const char *service)
{
	const struct endpoint_slice *slice = store_slices(s, "default", service);
	size_t n = 0;

	for (; slice; slice = slice->next)
		n += !strcmp(slice->service, service);
	return n;
}

/* Slices are found by their Service, also when they change it. */
static void test_slices(void **state)
{
	struct store s = {};
	struct err err = {};
	char doc[300];
	int i;

	assert_int_equal(count_slices(&s, "a"), 0);
	for (i = 0; i < 400; i++) {
		snprintf(doc, sizeof(doc),
			 "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, "
			 "metadata: {name: s%d, labels: {kubernetes.io/service-name: "
			 "%s}}}",
			 i % 200, i < 300 ? "a" : "b");
		assert_int_equal(store_replace(&s, object_of(doc, &err)), 0);
	}
	assert_int_equal(count_slices(&s, "a"), 100);
	assert_int_equal(count_slices(&s, "b"), 100);
	for (i = 0; i < 150; i++) {
		snprintf(doc, sizeof(doc), "s%d", i);
		assert_true(store_remove(&s, OBJECT_ENDPOINT_SLICE, "default", doc));
	}
	assert_int_equal(count_slices(&s, "a"), 0);
	assert_int_equal(count_slices(&s, "b"), 50);
	store_free(&s);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#define SERVICE(name) "{apiVersion: v1, kind: Service, metadata: {name: " name "}}\n"

static void test_directory(void **state)
{
	char dir[] = "/tmp/weir-k8s-load-XXXXXX", sub[300];
	const char *paths[] = {dir};
	struct store s = {};
	struct err err = {};

	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file(dir, "b.yaml", SERVICE("b"));
	write_file(dir, "a.yml", SERVICE("a"));
	write_file(dir, "c.json",
		   "{\"apiVersion\": \"v1\", \"kind\": \"Service\", "
		   "\"metadata\": {\"name\": \"c\"}}");
	write_file(dir, ".hidden.yaml", SERVICE("hidden"));
	write_file(dir, "readme.txt", "not: [a manifest");
	write_file(sub, "empty.yaml", "# nothing\n---\n");
	write_file(sub, "d.yaml", SERVICE("d"));
	snprintf(sub, sizeof(sub), "%s/sub/loop", dir);
	assert_int_equal(symlink(dir, sub), 0);
	assert_int_equal(manifests_load(&s, paths, 1, &err), 0);
	assert_int_equal(s.objects[OBJECT_SERVICE].len, 4);
	assert_string_equal(s.objects[OBJECT_SERVICE].item[0]->name, "a");
	assert_string_equal(s.objects[OBJECT_SERVICE].item[3]->name, "d");
	assert_int_equal(s.warnings.len, 1);
	assert_string_equal(s.warnings.item[0].text, "the file is empty");
	store_free(&s);

	/* the same file twice is the same object twice */
	snprintf(sub, sizeof(sub), "%s/a.yml", dir);
	assert_int_equal(manifests_load(&s, (const char *[]){sub, sub}, 2, &err),
			 -EEXIST);
	store_free(&s);
	assert_int_equal(
		manifests_load(&s, (const char *[]){"/nowhere/at/all"}, 1, &err),
		-ENOENT);
	assert_string_equal(err.what,
			    "/nowhere/at/all: cannot open: No such file or directory");
	store_free(&s);
	snprintf(sub, sizeof(sub), "rm -r %s", dir);
	assert_int_equal(system(sub), 0);
}

/* A directory for one test; to be removed with remove_dir(). */
static void make_dir(char *dir)
{
	assert_non_null(mkdtemp(dir));
}

static void remove_dir(const char *dir)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

#define SLICE(name, service, address)                                              \
	"---\n"                                                                    \
	"apiVersion: discovery.k8s.io/v1\n"                                        \
	"kind: EndpointSlice\n"                                                    \
	"metadata: {name: " name ", labels: {kubernetes.io/service-name: " service \
	"}}\n"                                                                     \
	"ports: [{name: http, port: 80}]\n"                                        \
	"endpoints: [{addresses: [\"" address "\"]}]\n"

/* One reading: what is news since the last one, and how many files were taken
 * apart for it. */
static void assert_news(struct manifests *m, const char *dir, enum manifests_news news,
			size_t parsed)
{
	struct err err = {};

	assert_int_equal(manifests_read(m, &dir, 1, &err), 0);
	assert_int_equal(m->news, news);
	assert_int_equal(m->parsed, parsed);
}

static void test_news(void **state)
{
	char dir[] = "/tmp/weir-k8s-news-XXXXXX", path[64];
	const char *const file = path;
	struct manifests m = {};
	struct err err = {};

	make_dir(dir);
	write_file(dir, "a.yaml", SERVICE("a"));
	write_file(dir, "b.yaml", SERVICE("b") SLICE("b-1", "b", "10.0.0.1"));
	assert_news(&m, dir, MANIFESTS_RULES, 2);
	manifests_taken(&m);
	assert_news(&m, dir, MANIFESTS_SAME, 0);

	/* written again with the same bytes */
	write_file(dir, "a.yaml", SERVICE("a"));
	assert_news(&m, dir, MANIFESTS_SAME, 0);

	/* another address, of the same length, in another line */
	write_file(dir, "b.yaml", "\n" SERVICE("b") SLICE("b-1", "b", "10.0.0.2"));
	assert_news(&m, dir, MANIFESTS_ENDPOINTS, 1);
	assert_string_equal(m.services.item[0].ns, "default");
	assert_string_equal(m.services.item[0].name, "b");
	assert_int_equal(m.store.objects[OBJECT_ENDPOINT_SLICE].len, 1);
	assert_string_equal(((struct endpoint_slice *)store_get(
				     &m.store, OBJECT_ENDPOINT_SLICE, "default", "b-1"))
				    ->set.addresses[0]
				    .address,
			    "10.0.0.2");
	/* news add up until they are taken */
	write_file(dir, "c.yaml", SLICE("c-1", "c", "10.0.0.3"));
	assert_news(&m, dir, MANIFESTS_ENDPOINTS, 1);
	assert_string_equal(m.services.item[m.services.len - 1].name, "c");
	write_file(dir, "a.yaml", SERVICE("z"));
	snprintf(path, sizeof(path), "%s/b.yaml", dir);
	assert_int_equal(manifests_read_again(&m, &file, 1, &err), 0);
	assert_int_equal(m.news, MANIFESTS_ENDPOINTS);
	assert_int_equal(m.parsed, 0);
	snprintf(path, sizeof(path), "%s/a.yaml", dir);
	assert_int_equal(manifests_read_again(&m, &file, 1, &err), 0);
	assert_int_equal(m.news, MANIFESTS_RULES);
	assert_int_equal(m.parsed, 1);
	snprintf(path, sizeof(path), "%s/d.yaml", dir);
	assert_int_equal(manifests_read_again(&m, &file, 1, &err), -ENOENT);
	assert_null(store_get(&m.store, OBJECT_SERVICE, "default", "a"));
	assert_non_null(store_get(&m.store, OBJECT_SERVICE, "default", "z"));
	manifests_taken(&m);

	/* moved from one file to another */
	write_file(dir, "b.yaml", SERVICE("b"));
	write_file(dir, "c.yaml",
		   SLICE("c-1", "c", "10.0.0.3") SLICE("b-1", "b", "10.0.0.2"));
	assert_news(&m, dir, MANIFESTS_SAME, 2);
	snprintf(path, sizeof(path), "%s/c.yaml", dir);
	assert_int_equal(unlink(path), 0);
	assert_news(&m, dir, MANIFESTS_ENDPOINTS, 0);
	assert_int_equal(m.services.len, 2);
	assert_int_equal(m.store.objects[OBJECT_ENDPOINT_SLICE].len, 0);
	manifests_free(&m);
	remove_dir(dir);
}

/* Warnings of a file go with it, and those of the others stay. */
static void test_news_messages(void **state)
{
	char dir[] = "/tmp/weir-k8s-news-XXXXXX", path[64];
	const char *const file = path;
	struct manifests m = {};
	struct err err = {};

	make_dir(dir);
	write_file(dir, "a.yaml", "# nothing\n");
	write_file(dir, "b.yaml", "# nothing\n");
	write_file(dir, "c.yaml", SERVICE("c"));
	assert_news(&m, dir, MANIFESTS_RULES, 3);
	assert_int_equal(m.store.warnings.len, 2);
	snprintf(path, sizeof(path), "%s/c.yaml", dir);
	write_file(dir, "c.yaml", SERVICE("d"));
	assert_int_equal(manifests_read_again(&m, &file, 1, &err), 0);
	assert_int_equal(m.store.warnings.len, 2);
	manifests_taken(&m);
	snprintf(path, sizeof(path), "%s/a.yaml", dir);
	write_file(dir, "a.yaml", SERVICE("a"));
	assert_int_equal(manifests_read_again(&m, &file, 1, &err), 0);
	assert_int_equal(m.news, MANIFESTS_RULES);
	assert_int_equal(m.store.warnings.len, 1);
	snprintf(path, sizeof(path), "%s/b.yaml", dir);
	assert_string_equal(m.store.warnings.item[0].at.source, path);
	write_file(dir, "b.yaml", SERVICE("b"));
	assert_int_equal(manifests_read_again(&m, &file, 1, &err), 0);
	assert_int_equal(m.store.warnings.len, 0);
	assert_int_equal(m.store.objects[OBJECT_SERVICE].len, 3);
	manifests_free(&m);
	remove_dir(dir);
}

/* A file that is named twice is read twice; what it says twice is refused. */
static void test_news_twice(void **state)
{
	char dir[] = "/tmp/weir-k8s-news-XXXXXX", path[64];
	const char *const paths[] = {path, path};
	struct manifests m = {};
	struct err err = {};

	make_dir(dir);
	snprintf(path, sizeof(path), "%s/a.yaml", dir);
	write_file(dir, "a.yaml", "# nothing\n");
	assert_int_equal(manifests_read(&m, paths, 2, &err), 0);
	assert_int_equal(m.files.len, 2);
	assert_int_equal(manifests_read_again(&m, paths, 1, &err), -ENOENT);
	write_file(dir, "a.yaml", SERVICE("a"));
	assert_int_equal(manifests_read(&m, paths, 2, &err), -EEXIST);
	manifests_free(&m);
	remove_dir(dir);
}

static void test_news_with_errors(void **state)
{
	char dir[] = "/tmp/weir-k8s-news-XXXXXX";
	const char *paths[] = {dir};
	struct manifests m = {};
	struct err err = {};

	make_dir(dir);
	write_file(dir, "a.yaml", SERVICE("a"));
	write_file(dir, "b.yaml", SERVICE("b"));
	assert_news(&m, dir, MANIFESTS_RULES, 2);
	manifests_taken(&m);

	/* not readable: everything stays as it was read before */
	write_file(dir, "a.yaml", SERVICE("c"));
	write_file(dir, "b.yaml", "kind: [");
	assert_int_equal(manifests_read(&m, paths, 1, &err), -EINVAL);
	assert_int_equal(m.news, MANIFESTS_SAME);
	assert_non_null(store_get(&m.store, OBJECT_SERVICE, "default", "a"));

	/* twice: refused, as often as it is read */
	write_file(dir, "b.yaml", SERVICE("c"));
	assert_int_equal(manifests_read(&m, paths, 1, &err), -EEXIST);
	assert_int_equal(manifests_read(&m, paths, 1, &err), -EEXIST);
	write_file(dir, "b.yaml", SERVICE("b"));
	assert_news(&m, dir, MANIFESTS_RULES, 1);
	assert_int_equal(m.store.objects[OBJECT_SERVICE].len, 2);
	assert_non_null(store_get(&m.store, OBJECT_SERVICE, "default", "b"));
	assert_non_null(store_get(&m.store, OBJECT_SERVICE, "default", "c"));
	manifests_free(&m);
	remove_dir(dir);
}

/* The first wrong file in the order of reading is the one that is named. */
static void test_first_error(void **state)
{
	char dir[] = "/tmp/weir-k8s-first-XXXXXX", name[32], want[64];
	struct manifests m = {};
	struct err err = {};
	int i;

	make_dir(dir);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%02d.yaml", i);
		write_file(dir, name, i % 10 == 7 ? "kind: [" : "# nothing\n");
	}
	assert_int_equal(manifests_read(&m, (const char *[]){dir}, 1, &err), -EINVAL);
	snprintf(want, sizeof(want), "%s/07.yaml:2:1", dir);
	assert_string_equal(err.where, want);
	manifests_free(&m);
	remove_dir(dir);
}

static void test_limits(void **state)
{
	char dir[] = "/tmp/weir-k8s-limits-XXXXXX", path[64], *text, *p;
	struct store s = {};
	struct err err = {};
	FILE *f;
	size_t i;

	make_dir(dir);
	snprintf(path, sizeof(path), "%s/large.yaml", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), (off_t)NODE_FILE_MAX + 1), 0);
	fclose(f);
	assert_int_equal(manifests_load(&s, (const char *[]){path}, 1, &err), -EFBIG);
	assert_non_null(strstr(err.what, "large.yaml: more than 256 MiB"));
	remove_dir(dir);

	p = text = malloc(2 * NODE_COUNT_MAX + 8);
	assert_non_null(text);
	*p++ = '[';
	for (i = 0; i < NODE_COUNT_MAX; i++) {
		*p++ = '0';
		*p++ = ',';
	}
	p[-1] = ']';
	assert_int_equal(
		node_read_json(text, (size_t)(p - text), "f", NULL, NULL, &err),
		-EINVAL);
	assert_string_equal(err.what, "not valid JSON: " NODE_COUNT_TEXT);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_scalars),
		cmocka_unit_test(test_yaml_aliases),
		cmocka_unit_test(test_json_values),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_ingress),
		cmocka_unit_test(test_slice),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_other_groups),
		cmocka_unit_test(test_unknown_fields),
		cmocka_unit_test(test_replace_and_remove),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_news_messages),
		cmocka_unit_test(test_news_twice),
		cmocka_unit_test(test_news_with_errors),
		cmocka_unit_test(test_first_error),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("k8s.load", tests, NULL, NULL);
}
