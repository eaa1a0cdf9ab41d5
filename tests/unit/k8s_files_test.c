/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and directories -> objects, and what is news when they have changed. */
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
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_news_messages),
		cmocka_unit_test(test_news_twice),
		cmocka_unit_test(test_news_with_errors),
		cmocka_unit_test(test_first_error),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("k8s.files", tests, NULL, NULL);
}
