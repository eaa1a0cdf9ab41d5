/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loadall FILE.bpf.o...
 *
 * Gives every program of every object to the running kernel's verifier and
 * prints one line for each: PASS or FAIL, object, program, instructions walked.
 * A refused program is followed by the end of the verifier's log.
 *
 * Knobs in .rodata that depend on the kernel are set as the agent sets them:
 * has_cast_kfunc, when the kernel's BTF knows bpf_cast_to_kern_ctx.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define LOG_BYTES (64u << 20)
#define LOG_STATS 4 /* BPF_LOG_STATS */
#define TAIL_LINES 40
#define TAIL_WIDTH 150

static char *verifier_log;
static bool quiet = true;

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (quiet || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stdout, fmt, ap);
}

static bool kernel_has_func(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found;

	if (!btf)
		return false;
	found = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return found;
}

/* The byte of a .rodata variable, or NULL when the object has none of that name. */
static unsigned char *knob(struct bpf_object *obj, const char *name)
{
	const struct btf *btf = bpf_object__btf(obj);
	struct bpf_map *map;
	const struct btf_var_secinfo *var;
	const struct btf_type *sec;
	size_t size;
	unsigned char *data;
	int id, i;

	bpf_object__for_each_map (map, obj) {
		const char *map_name = bpf_map__name(map);
		size_t len = strlen(map_name);

		if (len >= 7 && !strcmp(map_name + len - 7, ".rodata"))
			break;
	}
	data = map ? (void *)bpf_map__initial_value(map, &size) : NULL;
	id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
	if (!data || id < 0)
		return NULL;
	sec = btf__type_by_id(btf, id);
	var = btf_var_secinfos(sec);
	for (i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *t = btf__type_by_id(btf, var[i].type);

		if (!strcmp(btf__name_by_offset(btf, t->name_off), name))
			return data + var[i].offset;
	}
	return NULL;
}

static void print_tail(const char *log)
{
	const char *p = log + strlen(log);
	int lines = 0;

	while (p > log && lines <= TAIL_LINES)
		if (*--p == '\n')
			lines++;
	while (*p) {
		int len = strcspn(p, "\n");

		printf("%.*s\n", len < TAIL_WIDTH ? len : TAIL_WIDTH, p);
		p += len + (p[len] == '\n');
	}
}

/* Load one program of an object, all others switched off. */
static int load_one(const char *path, const char *name, int log_level)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	unsigned char *kfunc;
	int r;

	if (!obj)
		return -errno;
	kfunc = knob(obj, "has_cast_kfunc");
	if (kfunc)
		*kfunc = kernel_has_func("bpf_cast_to_kern_ctx");
	bpf_object__for_each_program (prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	prog = bpf_object__find_program_by_name(obj, name);
	verifier_log[0] = '\0';
	bpf_program__set_log_buf(prog, verifier_log, LOG_BYTES);
	bpf_program__set_log_level(prog, log_level);
	r = bpf_object__load(obj);
	bpf_object__close(obj);
	return r;
}

static long instructions(const char *log)
{
	const char *p, *last = NULL;

	for (p = log; (p = strstr(p, "processed ")); p++)
		last = p;
	return last ? strtol(last + strlen("processed "), NULL, 10) : -1;
}

static bool check_program(const char *path, const char *name)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	int r = load_one(path, name, LOG_STATS);

	if (!r) {
		printf("PASS load %s %s %ld instructions\n", base, name,
		       instructions(verifier_log));
		return true;
	}
	printf("FAIL load %s %s: %s\n", base, name, strerror(-r));
	quiet = false;
	r = load_one(path, name, 1);
	quiet = true;
	print_tail(verifier_log);
	return false;
}

static bool check_object(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	bool good = true;

	if (!obj) {
		printf("FAIL load %s: %s\n", path, strerror(errno));
		return false;
	}
	bpf_object__for_each_program (prog, obj)
		good &= check_program(path, bpf_program__name(prog));
	bpf_object__close(obj);
	return good;
}

int main(int argc, char **argv)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	bool good = argc > 1;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_MEMLOCK, &all);
	libbpf_set_print(print_libbpf);
	verifier_log = malloc(LOG_BYTES);
	if (!verifier_log)
		return 1;
	for (i = 1; i < argc; i++)
		good &= check_object(argv[i]);
	free(verifier_log);
	return !good;
}
