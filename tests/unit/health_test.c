/* SPDX-License-Identifier: BSD-2-Clause */
/* Health checks over loopback: thousands of endpoints, some of them closed. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/health.h"
#include "base/addr.h"
#include "base/log.h"

#define MANY 2000 /* at 127.1.x.y */
#define CLOSED 20

static struct loop loop;
static struct health health;
static struct watch accepts, late;
static struct ir ir;
static struct err err;
static unsigned int changes, accepted, wanted;
static bool is_late;

static uint16_t open_port(int fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static void on_accept(struct watch *w)
{
	int fd;

	while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		close(fd);
		accepted++;
	}
}

static void on_late(struct watch *w)
{
	is_late = true;
	loop.stop = true;
}

static void on_changed(void *arg, const struct health_target *t)
{
	assert_true(t->groups.len);
	if (++changes >= wanted)
		loop.stop = true;
}

static void add(struct ir_group *g, unsigned int n, uint16_t port)
{
	struct ir_endpoint *e = vec_push(&g->endpoints);

	addr_from_v4(htonl(0x7f010000 + n), &e->addr);
	e->port = port;
	e->ready = true;
}

static int setup(void **state)
{
	const struct health_options opt = {.interval_ms = 200, .fall = 2, .rise = 2};

	log_level = -1;
	changes = accepted = 0;
	is_late = false;
	assert_int_equal(loop_init(&loop, &err), 0);
	accepts = (struct watch){socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
				 on_accept, NULL};
	late = (struct watch){-1, on_late, NULL};
	assert_int_equal(loop_timer(&loop, &late, &err), 0);
	timer_set(&late, 60000, 0);
	health_init(&health, &opt, on_changed, NULL);
	assert_int_equal(health_start(&health, &loop, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	health_fini(&health);
	close(accepts.fd);
	close(late.fd);
	loop_fini(&loop);
	ir_free(&ir);
	memset(&ir, 0, sizeof(ir));
	return 0;
}

static void run_until(unsigned int n)
{
	wanted = n;
	loop.stop = false;
	assert_int_equal(loop_run(&loop), 0);
	assert_false(is_late);
}

static size_t count_down(void)
{
	size_t i, n = 0;

	for (i = 0; i < health.targets.len; i++)
		n += health.targets.item[i]->is_down;
	return n;
}

static void test_many(void **state)
{
	struct weir_addr addr;
	struct ir_group *g;
	uint16_t open, closed;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned int i, k;

	open = open_port(accepts.fd);
	assert_int_equal(listen(accepts.fd, 4096), 0);
	assert_int_equal(loop_add(&loop, &accepts, &err), 0);
	closed = open_port(fd); /* bound, not listening */
	/* the same endpoints of two Services */
	for (k = 0; k < 2; k++) {
		g = vec_push(&ir.groups);
		g->name = strdup("ns/s:80");
		for (i = 0; i < MANY; i++)
			add(g, i, open);
		for (i = 0; i < CLOSED; i++)
			add(g, i, closed);
	}
	assert_int_equal(health_set(&health, &ir, &err), 0);
	assert_int_equal(health.targets.len, MANY + CLOSED);
	run_until(CLOSED);
	assert_int_equal(count_down(), CLOSED);
	assert_true(accepted >= MANY);
	addr_from_v4(htonl(0x7f010003), &addr);
	assert_true(health_is_down(&health, &addr, closed));
	assert_false(health_is_down(&health, &addr, open));

	/* What is known stays when the endpoints are set again. */
	g->endpoints.len--;
	assert_int_equal(health_set(&health, &ir, &err), 0);
	assert_true(health_is_down(&health, &addr, closed));

	/* And they come back. */
	close(accepts.fd);
	accepts.fd = fd;
	assert_int_equal(listen(fd, 4096), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(loop_add(&loop, &accepts, &err), 0);
	while (health_is_down(&health, &addr, closed))
		run_until(changes + 1);
}

/* The ones that are not ready are not asked. */
static void test_draining(void **state)
{
	struct ir_group *g = vec_push(&ir.groups);

	add(g, 1, 9);
	g->endpoints.item[0].ready = false;
	assert_int_equal(health_set(&health, &ir, &err), 0);
	assert_int_equal(health.targets.len, 0);
}

static struct health_target *target_of(const struct ir_endpoint *e)
{
	size_t i;

	for (i = 0; i < health.targets.len; i++)
		if (health.targets.item[i]->port == e->port &&
		    !memcmp(&health.targets.item[i]->addr, &e->addr, sizeof(e->addr)))
			return health.targets.item[i];
	return NULL;
}

/* One group changes: its endpoints come and go, those that others have stay. */
static void test_replace(void **state)
{
	struct ir_group *first = vec_push(&ir.groups), *second, was = {};
	struct health_target *t;
	unsigned int i;

	for (i = 0; i < 100; i++)
		add(first, i, 9);
	second = vec_push(&ir.groups);
	first = &ir.groups.item[0];
	for (i = 50; i < 60; i++)
		add(second, i, 9);
	assert_int_equal(health_set(&health, &ir, &err), 0);
	assert_int_equal(health.targets.len, 100);
	t = target_of(&second->endpoints.item[0]);
	assert_int_equal(t->groups.len, 2);
	t->is_down = true;

	memcpy(&was, first, sizeof(was));
	memset(&first->endpoints, 0, sizeof(first->endpoints));
	add(first, 200, 9);
	add(first, 3, 9);
	assert_int_equal(health_replace(&health, 0, &was, first, &err), 0);
	vec_free(&was.endpoints);
	assert_int_equal(health.targets.len, 12);
	assert_int_equal(t->groups.len, 1);
	assert_int_equal(t->groups.item[0], 1);
	assert_non_null(target_of(&first->endpoints.item[0]));
	assert_true(health_is_down(&health, &t->addr, 9));

	/* as if all of it had been set */
	assert_int_equal(health_set(&health, &ir, &err), 0);
	assert_int_equal(health.targets.len, 12);
	assert_true(health_is_down(&health, &t->addr, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_draining, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
