/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/silent.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include <weir/config.h>
#include <weir/flow.h>

#include "base/vec.h"
#include "dp/dp.h"
#include "dp/inject.h"
#include "dp/mapio.h"

#define SECOND 1000000000ull

struct silent {
	struct weir_tuple key;
	struct weir_leg leg;
};

struct silents vec_of(struct silent);

struct looking {
	const struct dp *dp;
	uint64_t now_ns;
	struct silents found;
};

static uint64_t patience_s(const struct dp *dp, uint32_t endpoint)
{
	struct weir_endpoint ep;

	if (!bpf_map_lookup_elem(dp->map[DP_MAP_endpoints], &endpoint, &ep) &&
	    ep.state == WEIR_ENDPOINT_UNHEALTHY)
		return SILENT_UNHEALTHY_S;
	return SILENT_S;
}

static int look_at_leg(const void *key, const void *value, void *arg)
{
	const struct weir_leg *leg = value;
	struct looking *l = arg;
	struct silent *s;

	if (leg->state != WEIR_LEG_CONNECT || leg->syn_ns >= l->now_ns ||
	    l->now_ns - leg->syn_ns < patience_s(l->dp, leg->endpoint_id) * SECOND)
		return 0;
	s = vec_push(&l->found);
	if (!s)
		return -ENOMEM;
	memcpy(&s->key, key, sizeof(s->key));
	memcpy(&s->leg, leg, sizeof(s->leg));
	return 0;
}

/* What an endpoint without a listener answers to our SYN (RFC 9293, 3.10.7.1). */
static int give_up(const struct dp *dp, struct injector *in, const struct silent *s,
		   struct err *err)
{
	struct segment rst = {.tuple = s->key, .flags = SEGMENT_RST | SEGMENT_ACK};
	struct weir_flow flow;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_flows], &s->leg.client, &flow) ||
	    flow.state != WEIR_FLOW_CONNECT ||
	    memcmp(&flow.leg, &s->key, sizeof(s->key)))
		return 0;
	rst.ack = flow.isn + 1;
	return inject_run(in, &rst, s->leg.to_client.ifindex, WEIR_MARK_SILENT, err);
}

int silent_give_up(const struct dp *dp, uint64_t now_ns, uint32_t *count,
		   struct err *err)
{
	struct looking l = {.dp = dp, .now_ns = now_ns};
	struct err ignored = {};
	struct injector in;
	size_t i;
	int r = map_each(dp->map[DP_MAP_legs], look_at_leg, &l, err);

	*count = l.found.len;
	if (!r && l.found.len) {
		r = injector_open(&in, dp, err);
		/* One that fails does not keep the others waiting. */
		for (i = 0; !r && i < l.found.len; i++)
			give_up(dp, &in, &l.found.item[i], &ignored);
		if (!r)
			injector_close(&in);
	}
	vec_free(&l.found);
	return r;
}
