/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifests -> ir. Each tests/manifests/build/NAME.yaml has a NAME.ir, the
 * whole ir as text, one line each:
 *
 *	route INGRESS KIND:HOST TYPE:MATCH ACTION:TARGET [strip] [conditions]
 *		[priority=N] [pattern=REGEX] [mixed-hosts]
 *	group NAME [keeps-client | node-address] [by-client] [proxy] ADDR:PORT...
 *	reply STATUS CONTENT-TYPE BODY [LOCATION]
 *	warning TEXT (WHERE)
 *	note TEXT (WHERE)
 *
 * Comments at a manifest's head give options: `# --gateway ADDR:PORT`,
 * `# --endpoint ...`, `# --dialect kong`, `# cannot regex`, `# compare dialects`. Service default/s:80 with one endpoint
 * is always there. UPDATE=1 in the environment writes the .ir files anew.
 * tests/manifests/broken has manifests with the one error that each must give.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "k8s/load.h"
#include "route/build.h"

#define BUILD_DIR "tests/manifests/build/"
#define BROKEN_DIR "tests/manifests/broken/"
#define GUIDE_DIR "tests/manifests/guide"

static const char service_s[] =
	"{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: "
	"80}]}}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\n"
	"kind: EndpointSlice\n"
	"metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}\n"
	"addressType: IPv4\n"
	"ports: [{port: 8080}]\n"
	"endpoints: [{addresses: [10.0.0.100]}]\n";

struct text {
	char buf[32768];
	size_t len;
};

static void put(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	assert_true(t->len < sizeof(t->buf));
}

static void put_criteria(struct text *t, const struct ir_route *r)
{
	size_t i, k;

	for (i = 0; i < r->methods.len; i++)
		put(t, " %s", r->methods.item[i]);
	for (i = 0; i < r->headers.len; i++) {
		put(t, " %s", r->headers.item[i].name);
		for (k = 0; k < r->headers.item[i].values.len; k++)
			put(t, "%s%s", k ? "|" : "=",
			    r->headers.item[i].values.item[k]);
		for (k = 0; k < r->headers.item[i].patterns.len; k++)
			put(t, "%s~%s", k ? "|" : "=",
			    r->headers.item[i].patterns.item[k]);
	}
	if (r->priority)
		put(t, " priority=%d", r->priority);
	if (r->pattern)
		put(t, " pattern=%s", r->pattern);
	if (r->mixed_hosts)
		put(t, " mixed-hosts");
}

static void put_route(struct text *t, const struct ir *ir, const struct ir_route *r)
{
	static const char *const kinds[] = {"exact", "wildcard", "trailing", "any"};
	static const char *const types[] = {"?",      "exact", "prefix",
					    "string", "regex", "default"};

	put(t, "route %s %s:%s %s:%s ", r->ingress, kinds[r->host_kind], r->host,
	    types[r->type], r->match);
	if (r->action == WEIR_ACTION_GROUP) {
		put(t, "group:%s", ir->groups.item[r->group].name);
		assert_string_equal(r->backend, ir->groups.item[r->group].name);
	} else if (r->action == WEIR_ACTION_GATEWAY) {
		put(t, "gateway:%s (%s)", ir->groups.item[r->group].name, r->reason);
	} else if (r->action == WEIR_ACTION_REPLY) {
		put(t, "reply:%d", ir->replies.item[r->reply].status);
	} else {
		put(t, "unhonoured:(%s)", r->reason);
	}
	put(t, "%s", r->flags & WEIR_ROUTE_STRIP ? " strip" : "");
	assert_int_equal(!!(r->flags & WEIR_ROUTE_FALLBACK),
			 r->type == WEIR_PATH_DEFAULT);
	put_criteria(t, r);
	put(t, "\n");
}

static void put_group(struct text *t, const struct ir_group *g)
{
	char addr[WEIR_ADDR_TEXT];
	size_t i;

	put(t, "group %s%s%s%s%s", g->name,
	    g->flags & WEIR_GROUP_KEEP_CLIENT ? " keeps-client" : "",
	    g->flags & WEIR_GROUP_NODE ? " node-address" : "",
	    g->flags & WEIR_GROUP_BY_CLIENT ? " by-client" : "",
	    g->flags & WEIR_GROUP_PROXY ? " proxy" : "");
	for (i = 0; i < g->endpoints.len; i++) {
		const struct ir_endpoint *e = &g->endpoints.item[i];

		put(t, " %s%s", addr_format_port(&e->addr, e->port, addr),
		    e->ready ? "" : "(draining)");
		if (e->weight != 1)
			put(t, "*%u", e->weight);
	}
	put(t, "\n");
}

static void put_ir(struct text *t, const struct ir *ir)
{
	size_t i;

	for (i = 0; i < ir->routes.len; i++)
		put_route(t, ir, &ir->routes.item[i]);
	for (i = 0; i < ir->groups.len; i++)
		put_group(t, &ir->groups.item[i]);
	for (i = 0; i < ir->replies.len; i++) {
		const struct ir_reply *r = &ir->replies.item[i];

		put(t, "reply %u %s %s%s%s\n", r->status,
		    r->content_type ? r->content_type : "-", r->body ? r->body : "-",
		    r->location ? " " : "", r->location ? r->location : "");
	}
	for (i = 0; i < ir->warnings.len; i++)
		put(t, "warning %s (%s)\n", ir->warnings.item[i].text,
		    ir->warnings.item[i].where);
	for (i = 0; i < ir->notes.len; i++)
		put(t, "note %s (%s)\n", ir->notes.item[i].text,
		    ir->notes.item[i].where);
}

struct vector {
	char text[16384];
	char *args[16]; /* values of the options, in text of their own */
	const char *endpoints[8];
	struct route_options opt;
};

static void read_file(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t len = 0;

	if (f) {
		len = fread(buf, 1, size - 1, f);
		assert_true(feof(f));
		fclose(f);
	}
	buf[len] = '\0';
}

static void read_option(struct vector *v, const char *line, size_t *used)
{
	char name[20], value[100];

	if (sscanf(line, "# %19s %99s", name, value) != 2)
		return;
	if (!strcmp(name, "compare"))
		v->opt.compare_dialects = true;
	if (strncmp(name, "--", 2))
		return;
	v->args[*used] = strdup(value);
	if (!strcmp(name, "--gateway"))
		v->opt.gateway = v->args[*used];
	else if (!strcmp(name, "--dialect"))
		v->opt.dialect = DIALECT_KONG;
	else if (!strcmp(name, "--endpoint"))
		v->endpoints[v->opt.endpoint_count++] = v->args[*used];
	else
		fail_msg("unknown option %s", name);
	(*used)++;
}

static void read_vector(struct vector *v, const char *path)
{
	const char *line;
	size_t used = 0;

	*v = (struct vector){};
	v->opt.endpoints = v->endpoints;
	read_file(path, v->text, sizeof(v->text));
	for (line = v->text; line && *line == '#';
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		read_option(v, line, &used);
}

static void free_vector(struct vector *v)
{
	size_t i;

	for (i = 0; i < 16; i++)
		free(v->args[i]);
}

static const char *source;

static int add(const struct node *doc, void *ctx, struct err *err)
{
	return store_add_document(ctx, doc, source, err);
}

static void load_text(struct store *s, const char *name, const char *text)
{
	struct err err = {};

	source = name;
	if (node_read_yaml(text, strlen(text), name, add, s, &err))
		fail_msg("%s (%s)", err.what, err.where);
}

static void build_vector(const struct vector *v, struct text *got)
{
	struct store store = {};
	struct err err = {};
	struct ir ir = {};

	load_text(&store, "s", service_s);
	load_text(&store, "t", v->text);
	if (route_build(&store, &v->opt, &ir, &err))
		put(got, "error %s (%s)\n", err.what, err.where);
	else
		put_ir(got, &ir);
	ir_free(&ir);
	store_free(&store);
}

static void check_vector(const char *name)
{
	static struct text got, expected;
	static struct vector v;
	char path[400];
	FILE *f;

	got.len = 0;
	snprintf(path, sizeof(path), BUILD_DIR "%s.yaml", name);
	read_vector(&v, path);
	build_vector(&v, &got);
	free_vector(&v);
	snprintf(path, sizeof(path), BUILD_DIR "%s.ir", name);
	if (getenv("UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(got.buf, f);
		fclose(f);
	}
	read_file(path, expected.buf, sizeof(expected.buf));
	if (strcmp(got.buf, expected.buf))
		print_error("%s:\n", path);
	assert_string_equal(got.buf, expected.buf);
}

static void test_vectors(void **state)
{
	struct dirent **list;
	int count = scandir(BUILD_DIR, &list, NULL, alphasort), seen = 0, i;

	assert_true(count > 0);
	for (i = 0; i < count; i++) {
		char *dot = strstr(list[i]->d_name, ".yaml");

		if (dot) {
			*dot = '\0';
			check_vector(list[i]->d_name);
			seen++;
		}
		free(list[i]);
	}
	free(list);
	assert_true(seen >= 20);
}

/* One line of expected.txt: "FILE:LINE:COLUMN<TAB>SENTENCE" */
static void check_broken(char *line)
{
	char *sentence = strchr(line, '\t'), path[300], got[900], expected[900];
	struct route_options opt = {};
	struct store store = {};
	struct err err = {};
	struct ir ir = {};
	int ret;

	assert_non_null(sentence);
	*sentence++ = '\0';
	snprintf(path, sizeof(path), BROKEN_DIR "%.*s", (int)strcspn(line, ":"), line);
	ret = manifests_load(&store, (const char *[]){path}, 1, &err);
	if (!ret)
		ret = route_build(&store, &opt, &ir, &err);
	snprintf(got, sizeof(got), "%s (%s)", err.what, err.where);
	snprintf(expected, sizeof(expected), "%s (" BROKEN_DIR "%s)", sentence, line);
	assert_string_equal(got, expected);
	assert_int_equal(ret, err.code);
	assert_true(ret < 0);
	assert_int_equal(ir.routes.len, 0);
	store_free(&store);
}

static void test_broken(void **state)
{
	struct dirent **files;
	char line[600];
	int lines = 0, count;
	FILE *f = fopen(BROKEN_DIR "expected.txt", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		check_broken(line);
		lines++;
	}
	fclose(f);
	/* every file is expected: less ".", ".." and expected.txt */
	count = scandir(BROKEN_DIR, &files, NULL, alphasort);
	assert_int_equal(count - 3, lines);
	while (count--)
		free(files[count]);
	free(files);
}

static void build_guide(const char *const *paths, size_t count, struct text *got)
{
	struct route_options opt = {};
	struct store store = {};
	struct err err = {};
	struct ir ir = {};
	size_t i;

	if (manifests_load(&store, paths, count, &err))
		fail_msg("%s (%s)", err.what, err.where);
	if (route_build(&store, &opt, &ir, &err))
		fail_msg("%s (%s)", err.what, err.where);
	assert_int_equal(ir.warnings.len, 0);
	for (i = 0; i < ir.routes.len; i++)
		put_route(got, &ir, &ir.routes.item[i]);
	for (i = 0; i < ir.groups.len; i++)
		put_group(got, &ir.groups.item[i]);
	ir_free(&ir);
	store_free(&store);
}

static void test_guide(void **state)
{
	static const char *const all[] = {GUIDE_DIR};
	static const char *const some[] = {GUIDE_DIR "/ingress-demo.yaml",
					   GUIDE_DIR "/echo.yaml"};
	struct text got = {};

	build_guide(all, 1, &got);
	assert_string_equal(
		got.buf,
		"route default/demo any: string:/echo group:default/echo:1027 strip\n"
		"route default/fallback any: default: group:default/fallback-svc:80\n"
		"group default/echo:1027 10.77.1.2:1027\n"
		"group default/fallback-svc:80 10.77.1.3:5678\n");
	got.len = 0;
	build_guide(some, 2, &got);
	assert_string_equal(
		got.buf,
		"route default/demo any: string:/echo group:default/echo:1027 strip\n"
		"group default/echo:1027 10.77.1.2:1027\n");
}

#define WEB(name, path)                                                          \
	"---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: "      \
	"{name: " name                                                           \
	"}, spec: {ingressClassName: kong, rules: [{http: {paths: [{path: " path \
	", pathType: Exact, backend: {service: {name: s, port: {number: "        \
	"80}}}}]}}]}}\n"

/* The API server's rules go on without the broken one. */
static void test_keep_going(void **state)
{
	struct route_options opt = {.keep_going = true};
	struct store store = {};
	struct text got = {};
	struct err err = {};
	struct ir ir = {};

	load_text(&store, "s", service_s);
	load_text(&store, "t", WEB("a", "/x") WEB("b", "/../x") WEB("c", "/x"));
	assert_int_equal(route_build(&store, &opt, &ir, &err), 0);
	put_ir(&got, &ir);
	assert_string_equal(
		got.buf,
		"route default/a any: exact:/x group:default/s:80\n"
		"route default/c any: exact:/x group:default/s:80\n"
		"group default/s:80 10.0.0.100:8080\n"
		"warning Ingress default/b: spec.rules[0].http.paths[0].path: "
		"\"/../x\": "
		"must not contain /../: Ingress default/b is left out (t:4:134)\n"
		"warning Ingress default/c: spec.rules[0].http.paths[0]: never used: "
		"Ingress default/a has the same rule (t:2:134) (t:6:134)\n");
	ir_free(&ir);
	opt.keep_going = false;
	assert_int_equal(route_build(&store, &opt, &ir, &err), -EINVAL);
	assert_int_equal(ir.routes.len, 0);
	store_free(&store);
}

/* One Ingress alone, before it takes the place of the version that is served. */
static void test_check_ingress(void **state)
{
	const struct route_options opt = {};
	struct store store = {};
	struct err err = {};

	load_text(&store, "t", WEB("good", "/x") WEB("bad", "/../x"));
	assert_int_equal(
		route_check_ingress(&store, &opt,
				    (struct ingress *)store_get(&store, OBJECT_INGRESS,
								"default", "good"),
				    &err),
		0);
	assert_int_equal(
		route_check_ingress(&store, &opt,
				    (struct ingress *)store_get(&store, OBJECT_INGRESS,
								"default", "bad"),
				    &err),
		-EINVAL);
	assert_string_equal(err.what,
			    "Ingress default/bad: spec.rules[0].http.paths[0]."
			    "path: \"/../x\": must not contain /../");
	store_free(&store);
}

static void check_option(struct route_options opt, const char *sentence)
{
	struct store store = {};
	struct err err = {};
	struct ir ir = {};

	assert_true(route_build(&store, &opt, &ir, &err) < 0);
	assert_string_equal(err.what, sentence);
}

static void test_wrong_options(void **state)
{
	static const char *const bad[][2] = {
		{"default/s", "--endpoint default/s: no = in it"},
		{"s=1.2.3.4:80", "--endpoint s=1.2.3.4:80: a namespace, a Service or a "
				 "port is missing"},
		{"a/=1.2.3.4:80", "--endpoint a/=1.2.3.4:80: a namespace, a Service or "
				  "a port is missing"},
		{"a/s:=1.2.3.4:80", "--endpoint a/s:=1.2.3.4:80: a namespace, a "
				    "Service or a port is missing"},
		{"a/s=1.2.3.4",
		 "--endpoint a/s=1.2.3.4: no address and port behind the ="},
		{"a/s=1.2.3.4:0",
		 "--endpoint a/s=1.2.3.4:0: no address and port behind the ="},
		{"a/s=1.2.3.4:80,weight=65536", "--endpoint a/s=1.2.3.4:80,weight="
						"65536: only weight=N (0 to 65535) may "
						"follow"},
		{"a/s=1.2.3.4:80,w=1", "--endpoint a/s=1.2.3.4:80,w=1: only weight=N "
				       "(0 to 65535) may follow"},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_option((struct route_options){.endpoints = bad[i],
						    .endpoint_count = 1},
			     bad[i][1]);
	check_option((struct route_options){.gateway = "gw:80"},
		     "--gateway gw:80: not an ADDR:PORT");
}

/* More endpoints than a group holds are cut, and said. */
static void test_many_endpoints(void **state)
{
	static char text[65536];
	struct route_options opt = {};
	struct store store = {};
	struct err err = {};
	struct ir ir = {};
	size_t len, i;

	len = (size_t)snprintf(text, sizeof(text),
			       "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
			       "metadata: {name: s-2, labels: "
			       "{kubernetes.io/service-name: s}}\n"
			       "addressType: IPv4\nports: [{port: 80}]\nendpoints:\n");
	for (i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"- addresses: [10.1.%zu.%zu]\n", i / 250,
					i % 250);
	load_text(&store, "s", service_s);
	load_text(&store, "t", text);
	load_text(&store, "u", WEB("a", "/x"));
	assert_int_equal(route_build(&store, &opt, &ir, &err), 0);
	assert_int_equal(ir.groups.item[0].endpoints.len, WEIR_GROUP_ENDPOINTS);
	assert_int_equal(ir.warnings.len, 1);
	assert_string_equal(
		ir.warnings.item[0].text,
		"Service default/s: more than 960 endpoints, the rest left out");
	ir_free(&ir);
	store_free(&store);
}

#define SLICE_T(address)                                                   \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"           \
	"metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}\n" \
	"ports: [{port: 8080}]\nendpoints: [" address "]\n"

static void replace_slice(struct store *store, const char *text)
{
	struct store one = {};
	struct endpoint_slice *s;

	load_text(&one, "u", text);
	s = (struct endpoint_slice *)store_get(&one, OBJECT_ENDPOINT_SLICE, "default",
					       "s-1");
	assert_non_null(s);
	one.objects[OBJECT_ENDPOINT_SLICE].len = 0; /* its owner changes */
	assert_int_equal(store_replace(store, &s->meta), 0);
	store_free(&one);
}

/* A Service's groups alone give what building everything gives. */
static void test_endpoints_again(void **state)
{
	static const char *const hands[] = {"default/s=10.9.9.9:99"};
	struct route_options opt = {.endpoints = hands, .endpoint_count = 1};
	struct text got = {}, want = {};
	struct ir ir = {}, again = {}, fresh = {};
	struct store store = {};
	struct err err = {};

	load_text(&store, "s",
		  "{apiVersion: v1, kind: Service, metadata: {name: s}, "
		  "spec: {ports: [{port: 80}]}}");
	load_text(&store, "t", SLICE_T("{addresses: [10.0.0.1]}"));
	load_text(&store, "u", WEB("a", "/x"));
	assert_int_equal(route_build(&store, &opt, &ir, &err), 0);
	ir.groups.item[0].id = 77;
	replace_slice(&store,
		      SLICE_T("{addresses: [10.0.0.2]}, {addresses: [10.0.0.3]}"));
	assert_int_equal(
		route_endpoints(&store, &opt, &ir, "default", "other", &fresh, &err),
		0);
	assert_int_equal(fresh.groups.len, 0);
	assert_int_equal(
		route_endpoints(&store, &opt, &ir, "default", "s", &fresh, &err), 0);
	assert_int_equal(/* a Service may be told of twice */
			 route_endpoints(&store, &opt, &ir, "default", "s", &fresh,
					 &err),
			 0);
	assert_int_equal(fresh.groups.len, 1);
	assert_int_equal(fresh.groups.item[0].id, 77);
	assert_int_equal(route_build(&store, &opt, &again, &err), 0);
	put_ir(&got, &fresh);
	put_ir(&want, &again);
	assert_string_equal(got.buf, "group default/s:80 10.0.0.2:8080 10.0.0.3:8080 "
				     "10.9.9.9:99\n");
	assert_non_null(strstr(want.buf, got.buf));
	ir_free(&fresh);
	memset(&fresh, 0, sizeof(fresh));

	/* None is left: that is said again. */
	opt.endpoint_count = 0;
	replace_slice(&store, SLICE_T(""));
	assert_int_equal(
		route_endpoints(&store, &opt, &ir, "default", "s", &fresh, &err), 0);
	assert_int_equal(fresh.groups.item[0].endpoints.len, 0);
	assert_int_equal(fresh.warnings.len, 1);
	assert_string_equal(fresh.warnings.item[0].text,
			    "default/s:80 has no endpoint that is ready: 503");
	ir_free(&fresh);
	ir_free(&again);
	ir_free(&ir);
	store_free(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_guide),
		cmocka_unit_test(test_keep_going),
		cmocka_unit_test(test_check_ingress),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_many_endpoints),
		cmocka_unit_test(test_endpoints_again),
	};

	return cmocka_run_group_tests_name("route.build", tests, NULL, NULL);
}
