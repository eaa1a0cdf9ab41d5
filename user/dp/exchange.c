/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Requests that wait for their response, a power of two. */
#define PLACES 8192u

struct exchanges {
	exchange_fn fn;
	void *arg;
	struct place {
		bool taken;
		struct weir_event_request request;
	} place[PLACES];
};

struct exchanges *exchanges_new(exchange_fn fn, void *arg)
{
	struct exchanges *all = calloc(1, sizeof(*all));

	if (all) {
		all->fn = fn;
		all->arg = arg;
	}
	return all;
}

void exchanges_free(struct exchanges *all)
{
	free(all);
}

static bool same_request(const struct weir_event *a, const struct weir_event *b)
{
	return a->number == b->number && a->client_port == b->client_port &&
	       a->listener_port == b->listener_port &&
	       !memcmp(&a->client, &b->client, sizeof(a->client)) &&
	       !memcmp(&a->listener, &b->listener, sizeof(a->listener));
}

static struct place *place_of(struct exchanges *all, const struct weir_event *e)
{
	uint64_t h = hash64(&e->client, sizeof(e->client), e->number);

	h = hash64(&e->listener, sizeof(e->listener), h);
	h = hash64(&e->client_port, sizeof(e->client_port), h);
	h = hash64(&e->listener_port, sizeof(e->listener_port), h);
	return &all->place[h & (PLACES - 1)];
}

static int give_up(struct exchanges *all, struct place *p)
{
	struct exchange x = {.has_request = true, .request = p->request};

	if (!p->taken)
		return 0;
	p->taken = false;
	return all->fn(&x, all->arg);
}

static int add_request(struct exchanges *all, const struct weir_event_request *r)
{
	struct place *p = place_of(all, &r->e);
	int code = give_up(all, p);

	p->request = *r;
	p->taken = true;
	return code;
}

static int add_response(struct exchanges *all, const struct weir_event_response *r)
{
	struct place *p = place_of(all, &r->e);
	struct exchange x = {.has_response = true, .response = *r};

	if (p->taken && same_request(&p->request.e, &r->e)) {
		x.has_request = true;
		x.request = p->request;
		p->taken = false;
	}
	return all->fn(&x, all->arg);
}

int exchanges_add(struct exchanges *all, const void *record, size_t len)
{
	const struct weir_event *e = record;

	if (len < sizeof(*e))
		return 0;
	if (e->kind == WEIR_EVENT_REQUEST && len >= sizeof(struct weir_event_request))
		return add_request(all, record);
	if (e->kind == WEIR_EVENT_RESPONSE && len >= sizeof(struct weir_event_response))
		return add_response(all, record);
	return 0;
}

static int oldest_first(const void *a, const void *b)
{
	const struct place *x = *(struct place *const *)a;
	const struct place *y = *(struct place *const *)b;
	uint64_t s = x->request.e.time_ns, t = y->request.e.time_ns;

	return (s > t) - (s < t);
}

int exchanges_flush(struct exchanges *all)
{
	struct place **left = calloc(PLACES, sizeof(*left));
	size_t n = 0, i;
	int r = 0;

	if (!left)
		return 0;
	for (i = 0; i < PLACES; i++)
		if (all->place[i].taken)
			left[n++] = &all->place[i];
	qsort(left, n, sizeof(*left), oldest_first);
	for (i = 0; !r && i < n; i++)
		r = give_up(all, left[i]);
	free(left);
	return r;
}
