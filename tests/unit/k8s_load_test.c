/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML and JSON -> objects, and the store. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	};

	return cmocka_run_group_tests_name("k8s.load", tests, NULL, NULL);
}
