/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/health.h"

#include <errno.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/mem.h"
#include "dp/flows.h"

#define TICK_MS 20u

/* ---- what is known ---- */

static int compare(const void *x, const void *y)
{
	const struct health_target *a = x, *b = y;
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : (a->port > b->port) - (a->port < b->port);
}

static struct health_target *find(const struct health *h, const struct weir_addr *addr,
				  uint16_t port)
{
	const struct health_target key = {.addr = *addr, .port = port};
	struct health_target **found = tfind(&key, &h->tree, compare);

	return found ? *found : NULL;
}

bool health_is_down(const struct health *h, const struct weir_addr *addr, uint16_t port)
{
	const struct health_target *t = find(h, addr, port);

	return t && t->is_down;
}

static void free_target(struct health_target *t)
{
	vec_free(&t->groups);
	free(t);
}

static struct health_target *add(struct health *h, const struct ir_endpoint *e)
{
	struct health_target *t = calloc(1, sizeof(*t)), **slot;

	if (!t)
		return NULL;
	t->addr = e->addr;
	t->port = e->port;
	t->place = h->targets.len;
	slot = vec_push(&h->targets);
	if (slot && tsearch(t, &h->tree, compare)) {
		*slot = t;
		return t;
	}
	h->targets.len -= slot != NULL;
	free_target(t);
	return NULL;
}

/* The last one takes its place. */
static void drop(struct health *h, struct health_target *t)
{
	struct health_target *last = h->targets.item[--h->targets.len];

	tdelete(t, &h->tree, compare);
	last->place = t->place;
	h->targets.item[t->place] = last;
	free_target(t);
}

static int join(struct health *h, uint32_t group, const struct ir_group *g,
		struct err *err)
{
	size_t i;

	for (i = 0; i < g->endpoints.len; i++) {
		const struct ir_endpoint *e = &g->endpoints.item[i];
		struct health_target *t;
		uint32_t *slot;

		if (!e->ready)
			continue;
		t = find(h, &e->addr, e->port);
		if (!t)
			t = add(h, e);
		slot = t ? vec_push(&t->groups) : NULL;
		if (!slot)
			return err_set(err, -ENOMEM, "out of memory");
		*slot = group;
	}
	return 0;
}

static void leave_one(struct health_target *t, uint32_t group)
{
	size_t i;

	for (i = 0; i < t->groups.len; i++) {
		if (t->groups.item[i] != group)
			continue;
		t->groups.item[i] = t->groups.item[--t->groups.len];
		return;
	}
}

static void leave(struct health *h, uint32_t group, const struct ir_group *g)
{
	size_t i;

	for (i = 0; i < g->endpoints.len; i++) {
		const struct ir_endpoint *e = &g->endpoints.item[i];
		struct health_target *t = e->ready ? find(h, &e->addr, e->port) : NULL;

		if (t)
			leave_one(t, group);
	}
}

int health_set(struct health *h, const struct ir *ir, struct err *err)
{
	size_t i;
	int r = 0;

	if (!h->opt.interval_ms)
		return 0;
	for (i = 0; i < h->targets.len; i++)
		h->targets.item[i]->groups.len = 0;
	for (i = 0; i < ir->groups.len && !r; i++)
		r = join(h, (uint32_t)i, &ir->groups.item[i], err);
	for (i = h->targets.len; i-- > 0;)
		if (!h->targets.item[i]->groups.len)
			drop(h, h->targets.item[i]);
	return r;
}

int health_replace(struct health *h, uint32_t group, const struct ir_group *old,
		   const struct ir_group *now, struct err *err)
{
	size_t i;
	int r;

	if (!h->opt.interval_ms)
		return 0;
	leave(h, group, old);
	r = join(h, group, now, err);
	for (i = 0; i < old->endpoints.len; i++) {
		const struct ir_endpoint *e = &old->endpoints.item[i];
		struct health_target *t = find(h, &e->addr, e->port);

		if (t && !t->groups.len)
			drop(h, t);
	}
	return r;
}

/* error: 0 or an errno. */
static void take_result(struct health *h, const struct health_check *c, int error)
{
	struct health_target *t = find(h, &c->addr, c->port);
	char text[WEIR_ADDR_TEXT];

	if (!t)
		return;
	if (t->is_down == (error != 0)) {
		t->in_a_row = 0;
		return;
	}
	if (++t->in_a_row < (error ? h->opt.fall : h->opt.rise))
		return;
	t->in_a_row = 0;
	t->is_down = error != 0;
	addr_format_port(&t->addr, t->port, text);
	if (t->is_down)
		log_warn("endpoint %s is unhealthy: %s", text, strerror(error));
	else
		log_info("endpoint %s is healthy again", text);
	h->changed(h->arg, t);
}

/* ---- checks ---- */

static void end_check(struct health *h, struct health_check *c, int error)
{
	const struct linger at_once = {.l_onoff = 1};

	/* RST, so that neither side keeps it in TIME_WAIT */
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(c->fd);
	c->fd = -1;
	take_result(h, c, error);
}

/* Want of something on this node says nothing of the endpoint. */
static bool is_own_trouble(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM || error == EADDRNOTAVAIL || error == EPERM ||
	       error == EACCES || error == EAFNOSUPPORT;
}

static void begin_check(struct health *h, struct health_check *c,
			const struct health_target *t)
{
	struct epoll_event ev = {.events = EPOLLOUT, .data.ptr = c};
	struct sockaddr_storage to;
	socklen_t len = addr_to_sockaddr(&t->addr, t->port, &to);

	c->addr = t->addr;
	c->port = t->port;
	c->since_ns = monotonic_ns();
	c->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return;
	if (!connect(c->fd, (struct sockaddr *)&to, len)) {
		end_check(h, c, 0);
	} else if (errno != EINPROGRESS) {
		int error = errno;

		if (is_own_trouble(error)) {
			close(c->fd);
			c->fd = -1;
			log_debug("health check: %s", strerror(error));
		} else {
			end_check(h, c, error);
		}
	} else if (epoll_ctl(h->done.fd, EPOLL_CTL_ADD, c->fd, &ev)) {
		close(c->fd);
		c->fd = -1;
	}
}

static void on_done(struct watch *w)
{
	struct health *h = w->arg;
	struct epoll_event ev[64];
	int n = epoll_wait(w->fd, ev, 64, 0), i;

	for (i = 0; i < n; i++) {
		struct health_check *c = ev[i].data.ptr;
		socklen_t len = sizeof(int);
		int error = 0;

		if (c->fd < 0)
			continue;
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len))
			error = errno;
		end_check(h, c, error);
	}
}

static void end_late(struct health *h, uint64_t now)
{
	uint64_t most = h->opt.interval_ms * 1000000ull;
	size_t i;

	for (i = 0; i < HEALTH_CHECKS; i++)
		if (h->check[i].fd >= 0 && now - h->check[i].since_ns > most)
			end_check(h, &h->check[i], ETIMEDOUT);
}

/* As many as the time since the last tick asks for. When too many are under way the
 * others come later: the interval becomes longer, not the number larger. */
static void begin_due(struct health *h, uint64_t now)
{
	double due = h->credit +
		     h->targets.len * ((now - h->tick_ns) / 1e6) / h->opt.interval_ms;
	size_t slot = 0;

	if (due > h->targets.len)
		due = h->targets.len; /* not the same one twice */
	h->tick_ns = now;
	for (; due >= 1; due--) {
		while (slot < HEALTH_CHECKS && h->check[slot].fd >= 0)
			slot++;
		if (slot == HEALTH_CHECKS)
			break;
		if (h->next >= h->targets.len)
			h->next = 0;
		begin_check(h, &h->check[slot], h->targets.item[h->next++]);
	}
	h->credit = due;
}

static void on_tick(struct watch *w)
{
	struct health *h = w->arg;
	uint64_t now = monotonic_ns();

	timer_done(w);
	end_late(h, now);
	begin_due(h, now);
}

void health_init(struct health *h, const struct health_options *opt,
		 void (*changed)(void *arg, const struct health_target *t), void *arg)
{
	size_t i;

	*h = (struct health){
		.opt = *opt,
		.done = {-1, on_done, h},
		.tick = {-1, on_tick, h},
		.changed = changed,
		.arg = arg,
	};
	for (i = 0; i < HEALTH_CHECKS; i++)
		h->check[i].fd = -1;
}

void health_fini(struct health *h)
{
	size_t i;

	for (i = 0; i < HEALTH_CHECKS; i++)
		mem_close_fd(&h->check[i].fd);
	mem_close_fd(&h->done.fd);
	mem_close_fd(&h->tick.fd);
	while (h->targets.len)
		drop(h, h->targets.item[h->targets.len - 1]);
	vec_free(&h->targets);
}

int health_start(struct health *h, struct loop *loop, struct err *err)
{
	int r;

	if (!h->opt.interval_ms)
		return 0;
	h->done.fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->done.fd < 0)
		return err_set(err, -errno, "epoll: %s", strerror(errno));
	r = loop_add(loop, &h->done, err);
	if (!r)
		r = loop_timer(loop, &h->tick, err);
	if (r)
		return r;
	h->tick_ns = monotonic_ns();
	timer_set(&h->tick, TICK_MS, TICK_MS);
	return 0;
}
