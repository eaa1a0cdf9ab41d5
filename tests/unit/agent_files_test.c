/* SPDX-License-Identifier: BSD-2-Clause */
/* Which changes of files an agent notices. */
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/files.h"
#include "base/mem.h"

/* inotify events of a call are there when the call returns: nothing is waited for. */

struct place {
	char dir[64];
	char path[PATH_MAX];
};

static const char *at(struct place *p, const char *name)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, name);
	return p->path;
}

static void put(struct place *p, const char *name, const char *text)
{
	auto_file FILE *f = fopen(at(p, name), "we");

	assert_non_null(f);
	fputs(text, f);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/weir-files-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	*state = p;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;

	nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

static void start(struct files *f, const char *const *paths)
{
	struct err err = {};

	assert_int_equal(files_init(f, paths, 1, &err), 0);
	assert_false(files_changed(f));
}

static void test_file_written(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX];
	const char *const paths[] = {path};
	struct files f;

	put(p, "rules.conf", "a");
	put(p, "other.yaml", "a");
	snprintf(path, sizeof(path), "%s", at(p, "rules.conf"));
	start(&f, paths);
	put(p, "other.yaml", "b");
	assert_false(files_changed(&f));
	put(p, "rules.conf", "b");
	assert_int_equal(files_changed(&f), FILES_WRITTEN);
	put(p, "rules.conf", "c");
	assert_int_equal(files_changed(&f), FILES_WRITTEN);
	assert_int_equal(f.written.len, 1);
	assert_string_equal(f.written.item[0], path);
	assert_false(f.has_moved);
	files_taken(&f);
	assert_int_equal(f.written.len, 0);
	assert_false(files_changed(&f));
	files_fini(&f);
}

static void test_file_replaced(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX], from[PATH_MAX];
	const char *const paths[] = {path};
	struct err err = {};
	struct files f;
	int i;

	put(p, "rules.yaml", "a");
	snprintf(path, sizeof(path), "%s", at(p, "rules.yaml"));
	start(&f, paths);
	/* As editors do, more than once. */
	for (i = 0; i < 3; i++) {
		put(p, "rules.yaml~", "b");
		assert_false(files_changed(&f));
		snprintf(from, sizeof(from), "%s", at(p, "rules.yaml~"));
		assert_int_equal(rename(from, path), 0);
		assert_int_equal(files_changed(&f), FILES_WRITTEN);
		assert_int_equal(files_refresh(&f, &err), 0);
	}
	unlink(path);
	assert_int_equal(files_changed(&f), FILES_MOVED);
	assert_true(f.has_moved);
	files_fini(&f);
}

static void test_directory_and_below(void **state)
{
	struct place *p = *state;
	const char *const paths[] = {p->dir};
	struct err err = {};
	struct files f;

	start(&f, paths);
	put(p, "a.yaml", "a");
	assert_true(files_changed(&f));
	put(p, ".a.yaml.swp", "a");
	put(p, "README.md", "a");
	assert_false(files_changed(&f));
	assert_int_equal(mkdir(at(p, "sub"), 0700), 0);
	put(p, "a.yaml", "b");
	assert_int_equal(files_changed(&f), FILES_MOVED);
	assert_int_equal(files_refresh(&f, &err), 0);
	put(p, "sub/b.json", "{}");
	assert_int_equal(files_changed(&f), FILES_WRITTEN);
	unlink(at(p, "sub/b.json"));
	assert_true(files_changed(&f));
	files_fini(&f);
}

/* A ConfigMap volume: ..data is a link that is swapped by rename(). */
static void test_volume_swapped(void **state)
{
	struct place *p = *state;
	const char *const paths[] = {p->dir};
	char from[PATH_MAX];
	struct files f;

	mkdir(at(p, "..1"), 0700);
	put(p, "..1/rules.yaml", "a");
	mkdir(at(p, "..2"), 0700);
	put(p, "..2/rules.yaml", "b");
	assert_int_equal(symlink("..1", at(p, "..data")), 0);
	assert_int_equal(symlink("..data/rules.yaml", at(p, "rules.yaml")), 0);
	start(&f, paths);
	assert_int_equal(symlink("..2", at(p, "..tmp")), 0);
	files_changed(&f);
	snprintf(from, sizeof(from), "%s", at(p, "..tmp"));
	assert_int_equal(rename(from, at(p, "..data")), 0);
	assert_true(files_changed(&f));
	files_fini(&f);
}

/* Between creat() and close() a file is not what it is meant to be. */
static void test_file_being_written(void **state)
{
	struct place *p = *state;
	const char *const paths[] = {p->dir};
	struct files f;
	FILE *out;

	start(&f, paths);
	out = fopen(at(p, "a.yaml"), "we");
	assert_non_null(out);
	assert_false(files_changed(&f));
	fclose(out);
	assert_true(files_changed(&f));
	assert_int_equal(symlink("a.yaml", at(p, "b.yaml")), 0);
	assert_true(files_changed(&f));
	files_fini(&f);
}

static void test_path_that_comes_later(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX];
	const char *const paths[] = {path};
	struct files f;

	snprintf(path, sizeof(path), "%s", at(p, "rules.conf"));
	start(&f, paths);
	put(p, "rules.conf", "a");
	assert_true(files_changed(&f));
	files_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory_and_below, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_volume_swapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_being_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_path_that_comes_later, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("agent_files", tests, NULL, NULL);
}
