/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same heads through the kernel and natively: seeds and mutants of them.
 * Verdict, spans, match and the rewritten bytes must be the same.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "route/table.h"
#include "twin.skel.h"
#include "twin/twin.h"

#define MUTANTS 60000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const seeds[] = {
	"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
	"GET /echo/hello?x=1 HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: curl\r\n"
	"Accept: */*\r\n\r\n",
	"\r\nHEAD /echo//../a/%2e/b%20c%2f HTTP/1.1\r\nX-One: 1\r\nhost: "
	"www.example.com.\r\n\r\n",
	"POST http://example.com/echo/./x HTTP/1.1\r\nHost: EXAMPLE.com\r\n"
	"Content-Length: 5, 5\r\n\r\nabcde",
	"PUT /strip/a/b HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
	"h2c\r\n\r\n",
	"POST /exact HTTP/1.1\r\nHost: a.b.example.com\r\nTransfer-Encoding: "
	"chunked\r\n"
	"X-One:  two \t\r\nExpect: 100-continue\r\n\r\n",
	"GET /strip/..%2e/strip//x%41 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n"
	"Cookie: 0123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r"
	"\n",
	"GET /caf%C3%A9/strip HTTP/1.1\r\nHost: x.example.com\r\nX_Two: 2\r\n\r\n",
	"GET /stripped HTTP/1.0\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n",
};

/* What mutants are made of besides single bytes. */
static const char *const pieces[] = {
	"\r\n",
	"\r\n\r\n",
	" ",
	"\t",
	"/",
	"//",
	"/..",
	"/./",
	"%2F",
	"%2e",
	"%00",
	"%",
	"?",
	"Host:",
	"Host: a.b\r\n",
	".",
	"\r",
	"\n",
	":",
	"HTTP/1.0",
	"/echo",
	"/strip",
	"X",
	"Content-Length: 5\r\n",
	"Transfer-Encoding: chunked\r\n",
	"Connection: close\r\n",
	"X-One: 1\r\n",
	"http://example.com",
	", ",
	"*",
	"[::1]",
	";",
};

static struct twin_bpf *skel;
static struct twin *there, *here;
static void *table_there, *table_here;
static u32 seed = 7;

static u32 roll(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void add(struct ir *ir, enum ir_host_kind kind, const char *host,
		enum weir_path_type type, const char *match, const char *method,
		const char *value)
{
	struct ir_route *r = vec_push(&ir->routes);

	r->id = ir->routes.len;
	r->host_kind = kind;
	r->host = ir_text(ir, host);
	r->path = ir_text(ir, match);
	r->match = ir_text(ir, match);
	r->type = type;
	r->action = WEIR_ACTION_GROUP;
	r->flags = strstr(match, "strip") ? WEIR_ROUTE_STRIP : 0;
	r->reply = -1;
	r->ingress = ir_text(ir, "a/b");
	if (method)
		*(const char **)vec_push(&r->methods) = ir_text(ir, method);
	if (value) {
		struct ir_header *h = vec_push(&r->headers);

		h->name = ir_text(ir, "x-one");
		if (*value == '~')
			*(const char **)vec_push(&h->patterns) = ir_text(ir, value + 1);
		else
			*(const char **)vec_push(&h->values) = ir_text(ir, value);
	}
}

static void make_table(enum ir_order order)
{
	struct ir ir = {.order = order};
	struct err err = {0};
	void *blob;
	size_t size;

	((struct ir_group *)vec_push(&ir.groups))->name = strdup("a/c:80");
	add(&ir, IR_HOST_EXACT, "example.com", WEIR_PATH_PREFIX, "/echo", NULL, NULL);
	add(&ir, IR_HOST_EXACT, "example.com", WEIR_PATH_IMPLEMENTATION, "/strip", NULL,
	    NULL);
	add(&ir, IR_HOST_EXACT, "example.com", WEIR_PATH_EXACT, "/exact", NULL, NULL);
	add(&ir, IR_HOST_WILDCARD, "*.example.com", WEIR_PATH_PREFIX, "", "GET", NULL);
	add(&ir, IR_HOST_WILDCARD, "*.example.com", WEIR_PATH_PREFIX, "/a", NULL, "1");
	add(&ir, IR_HOST_WILDCARD, "*.b.example.com", WEIR_PATH_EXACT, "/exact", "POST",
	    "two");
	add(&ir, IR_HOST_ANY, "", WEIR_PATH_PREFIX, "/strip/a", NULL, NULL);
	add(&ir, IR_HOST_ANY, "", WEIR_PATH_PREFIX, "/e", NULL, "~^t|[1-3]$");
	add(&ir, IR_HOST_ANY, "", WEIR_PATH_IMPLEMENTATION, "/strip", NULL, NULL);
	add(&ir, IR_HOST_ANY, "", WEIR_PATH_PREFIX, "/caf\xc3\xa9/strip", NULL, NULL);
	if (order == IR_ORDER_KONG) {
		add(&ir, IR_HOST_TRAILING, "a.b.*", WEIR_PATH_EXACT, "/exact", NULL,
		    NULL);
		add(&ir, IR_HOST_TRAILING, "example.*", WEIR_PATH_IMPLEMENTATION,
		    "/echo/hello", NULL, NULL);
		add(&ir, IR_HOST_ANY, "", WEIR_PATH_DEFAULT, "", "POST", NULL);
	}
	if (table_compile(&ir, &blob, &size, &err))
		fail_msg("%s", err.what);
	assert_true(size <= WEIR_TABLE_MIN);
	memset(table_there, 0, WEIR_TABLE_MIN);
	memset(table_here, 0, WEIR_TABLE_MIN);
	memcpy(table_there, blob, size);
	memcpy(table_here, blob, size);
	free(blob);
	ir_free(&ir);
}

static void *map(struct bpf_map *m, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, (size + page - 1) / page * page, PROT_READ | PROT_WRITE,
		       MAP_SHARED, bpf_map__fd(m), 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static int open_twin(void **state)
{
	skel = geteuid() ? NULL : twin_bpf__open_and_load();
	if (!skel)
		return geteuid() ? 0 : -1;
	there = map(skel->maps.twins, sizeof(*there));
	table_there = map(skel->maps.table, WEIR_TABLE_MIN);
	here = calloc(1, sizeof(*here));
	table_here = calloc(1, WEIR_TABLE_MIN);
	make_table(IR_ORDER_KUBERNETES);
	return here ? 0 : -1;
}

static int close_twin(void **state)
{
	twin_bpf__destroy(skel);
	free(here);
	free(table_here);
	return 0;
}

static void run_there(void)
{
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
		    .data_size_in = sizeof(packet));

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(skel->progs.twin_tc), &opts), 0);
}

static void compare(const char *text, size_t len, u8 filler)
{
	memset(here->head.data, filler, len + 64);
	memcpy(here->head.data, text, len);
	here->len = len;
	memcpy(there, here, sizeof(*here));
	run_there();
	twin_run(here, table_here, WEIR_TABLE_MIN - 1);
	if (memcmp(here, there, sizeof(*here)))
		fail_msg("differ: native %d %d %d %d, kernel %d %d %d %d: %.*s",
			 here->scanned, here->normal, here->found, here->stripped,
			 there->scanned, there->normal, there->found, there->stripped,
			 (int)len, text);
}

static void need_root(void)
{
	if (!skel)
		skip();
}

static void whole_and_cut(void **state)
{
	size_t i, cut;
	u32 found = 0;

	need_root();
	for (i = 0; i < COUNT(seeds); i++) {
		for (cut = 0; cut <= strlen(seeds[i]); cut++)
			compare(seeds[i], cut, '\n');
		found += here->found == TABLE_FOUND;
	}
	assert_true(found >= 5);
}

/* From here on with the other table. */
static void kong_order(void **state)
{
	need_root();
	make_table(IR_ORDER_KONG);
	whole_and_cut(state);
}

static size_t mutate(char *to, size_t room)
{
	const char *from = seeds[roll(COUNT(seeds))];
	size_t len = strlen(from), changes = 1 + roll(4);

	memcpy(to, from, len);
	while (changes--) {
		size_t at = roll(len), n;
		const char *piece = pieces[roll(COUNT(pieces))];

		switch (roll(4)) {
		case 0: /* another byte */
			to[at] = roll(256);
			break;
		case 1: /* bytes taken out */
			n = 1 + roll(roll(2) ? 2 : 20);
			if (at + n > len - 1)
				break;
			memmove(to + at, to + at + n, len - at - n);
			len -= n;
			break;
		case 2: /* a piece put in */
			n = strlen(piece);
			if (len + n > room)
				break;
			memmove(to + at + n, to + at, len - at);
			memcpy(to + at, piece, n);
			len += n;
			break;
		default: /* a part once more */
			n = 1 + roll(30);
			if (at + n > len || len + n > room)
				break;
			memmove(to + at + n, to + at, len - at);
			len += n;
		}
	}
	return len;
}

static void mutants(void **state)
{
	u32 done = 0, found = 0, rewritten = 0, i;
	char text[1024];

	need_root();
	for (i = 0; i < MUTANTS; i++) {
		compare(text, mutate(text, sizeof(text)), roll(256));
		done += here->scanned == HEAD_DONE;
		found += here->found == TABLE_FOUND;
		rewritten += here->normal > 0 || here->stripped > 0;
	}
	/* the mutants reach all of it */
	assert_true(done > MUTANTS / 20 && found > MUTANTS / 50 &&
		    rewritten > MUTANTS / 100);
}

static void long_heads(void **state)
{
	static const char end[] = " HTTP/1.1\r\nHost: a.b\r\n\r\n";
	static char text[WEIR_HEAD_MAX];
	u32 i;

	need_root();
	for (i = 0; i < 400; i++) {
		size_t len = sizeof(text) - roll(3) * roll(4000), part;

		memset(text, "xX/.%\t:,"[roll(8)], sizeof(text));
		part = snprintf(
			text, 64, "%s",
			roll(2) ? "GET /strip/"
				: "GET /strip/ HTTP/1.1\r\nHost: example.com\r\nX: ");
		text[part] = roll(2) ? '/' : 'y';
		if (roll(4))
			memcpy(text + len - sizeof(end) + 1, end, sizeof(end) - 1);
		compare(text, len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_and_cut), cmocka_unit_test(mutants),
		cmocka_unit_test(long_heads),	 cmocka_unit_test(kong_order),
		cmocka_unit_test(mutants),	 cmocka_unit_test(long_heads),
	};

	return cmocka_run_group_tests_name("twin", tests, open_twin, close_twin);
}
