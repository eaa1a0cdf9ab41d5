/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/flows.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dp/dp.h"
#include "dp/inject.h"
#include "dp/mapio.h"

const char *const flow_state_names[FLOW_STATES] = {
	[0] = "none",
	[WEIR_FLOW_HEAD] = "head",
	[WEIR_FLOW_CONNECT] = "connect",
	[WEIR_FLOW_SPLICED] = "spliced",
	[WEIR_FLOW_REPLIED] = "replied",
	[WEIR_FLOW_CLOSED] = "closed",
};

bool flow_is_over(const struct weir_flow *flow)
{
	return flow->state == WEIR_FLOW_CLOSED || flow->flags & WEIR_FLOW_DONE;
}

const char *flow_state_text(const struct weir_flow *flow)
{
	if (flow_is_over(flow))
		return flow_state_names[WEIR_FLOW_CLOSED];
	if (flow->flags & (WEIR_FLOW_FIN_CLIENT | WEIR_FLOW_FIN_SERVER))
		return "closing";
	return flow_state_names[flow->state < FLOW_STATES ? flow->state : 0];
}

uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* ---- patience ---- */

uint32_t flow_patience_s(const struct weir_flow *flow, uint32_t head_timeout_s)
{
	const uint16_t both = WEIR_FLOW_FIN_CLIENT | WEIR_FLOW_FIN_SERVER;

	if ((flow->flags & both) == both)
		return FLOW_CLOSED_S;
	if (flow->flags & WEIR_FLOW_DONE)
		return FLOW_RESET_S;
	switch (flow->state) {
	case WEIR_FLOW_HEAD:
		return head_timeout_s;
	case WEIR_FLOW_CONNECT:
		return FLOW_CONNECT_S;
	case WEIR_FLOW_SPLICED:
		return FLOW_IDLE_S;
	default:
		return FLOW_CLOSED_S;
	}
}

uint32_t leg_patience_s(const struct weir_leg *leg)
{
	const uint8_t both = WEIR_LEG_FIN_ENDPOINT | WEIR_LEG_FIN_CLIENT;

	if ((leg->flags & both) == both)
		return FLOW_CLOSED_S;
	switch (leg->state) {
	case WEIR_LEG_CONNECT:
		return FLOW_CONNECT_S;
	case WEIR_LEG_SPLICED:
		return FLOW_IDLE_S;
	default:
		return FLOW_CLOSED_S;
	}
}

static bool is_over(uint64_t seen_ns, uint64_t now_ns, uint32_t patience_s)
{
	/* A packet may have come after `now_ns` was taken. */
	return seen_ns < now_ns && now_ns - seen_ns > patience_s * 1000000000ull;
}

uint32_t sweep_closed_s(uint64_t flows, uint64_t max)
{
	if (flows < max / 2)
		return FLOW_CLOSED_S;
	if (flows < max / 4 * 3)
		return FLOW_CLOSED_S / 4;
	return flows < max / 8 * 7 ? 3 : 1;
}

/* ---- sets of ids ---- */

bool id_set_add(struct id_set *set, uint32_t id)
{
	size_t word = id / 64;

	if (word >= set->words) {
		size_t words = set->words ? set->words : 16;
		uint64_t *grown;

		while (words <= word)
			words *= 2;
		grown = realloc(set->word, words * sizeof(*grown));
		if (!grown)
			return false;
		memset(grown + set->words, 0, (words - set->words) * sizeof(*grown));
		set->word = grown;
		set->words = words;
	}
	set->word[word] |= 1ull << id % 64;
	return true;
}

bool id_set_has(const struct id_set *set, uint32_t id)
{
	return id / 64 < set->words && set->word[id / 64] >> id % 64 & 1;
}

void id_set_free(struct id_set *set)
{
	free(set->word);
	memset(set, 0, sizeof(*set));
}

/* ---- heads in progress ---- */

struct head_since {
	uint64_t flow; /* hash of the flow and of where its head begins */
	uint64_t since_ns;
};

struct head_list vec_of(struct head_since);

void sweep_memory_free(struct sweep_memory *memory)
{
	free(memory->heads);
	memset(memory, 0, sizeof(*memory));
}

static int by_flow(const void *a, const void *b)
{
	const struct head_since *x = a, *y = b;

	return (x->flow > y->flow) - (x->flow < y->flow);
}

/* Since when this head has been read, as far as we know. */
static uint64_t head_since(const struct sweep_memory *memory, uint64_t flow,
			   uint64_t now_ns)
{
	const struct head_since want = {.flow = flow}, *found = NULL;

	if (memory->head_count)
		found = bsearch(&want, memory->heads, memory->head_count, sizeof(want),
				by_flow);
	return found ? found->since_ns : now_ns;
}

static bool is_reading(const struct weir_flow *flow)
{
	/* A redirect that the client does not take keeps its request as well. */
	return flow->slot != WEIR_NO_SLOT && flow->head_end != flow->head_seq &&
	       (flow->state == WEIR_FLOW_HEAD || flow->state == WEIR_FLOW_REPLIED ||
		flow->flags & WEIR_FLOW_PARTIAL);
}

/* ---- the sweep ---- */

struct tuples vec_of(struct weir_tuple);

struct sweeping {
	uint64_t now_ns;
	uint64_t seen; /* flows */
	uint32_t head_timeout_s;
	struct sweep_memory *memory;
	struct head_list heads; /* of now */
	struct sweep sum;
	struct tuples flows, legs; /* that are over, or too slow */
};

static int over(struct tuples *list, const void *key)
{
	struct weir_tuple *t = vec_push(list);

	if (!t)
		return -ENOMEM;
	memcpy(t, key, sizeof(*t));
	return 0;
}

static bool flow_is_late(const struct sweeping *s, const struct weir_flow *flow)
{
	uint32_t patience = flow_patience_s(flow, s->head_timeout_s);

	if (flow_is_over(flow) && patience > s->memory->closed_s)
		patience = s->memory->closed_s;
	return is_over(flow->seen_ns, s->now_ns, patience);
}

/* Takes the head's time; has it been too long? */
static bool is_slow(struct sweeping *s, const struct weir_tuple *key,
		    const struct weir_flow *flow)
{
	struct head_since *h;

	if (!is_reading(flow))
		return false;
	h = vec_push(&s->heads);
	if (!h)
		return false;
	h->flow = hash64(key, sizeof(*key), flow->head_seq);
	h->since_ns = head_since(s->memory, h->flow, s->now_ns);
	return is_over(h->since_ns, s->now_ns, s->head_timeout_s);
}

static int look_at_flow(const void *key, const void *value, void *arg)
{
	struct sweeping *s = arg;
	struct weir_flow flow;

	memcpy(&flow, value, sizeof(flow));
	s->seen++;
	if (flow_is_late(s, &flow) || is_slow(s, key, &flow))
		return over(&s->flows, key);
	if (flow.state < FLOW_STATES)
		s->sum.flows[flow.state]++;
	if (flow.state == WEIR_FLOW_CONNECT || flow.state == WEIR_FLOW_SPLICED)
		id_set_add(&s->sum.endpoints, flow.endpoint_id);
	return 0;
}

static int look_at_leg(const void *key, const void *value, void *arg)
{
	const struct weir_leg *leg = value;
	struct sweeping *s = arg;

	if (is_over(leg->seen_ns, s->now_ns, leg_patience_s(leg)))
		return over(&s->legs, key);
	s->sum.legs++;
	id_set_add(&s->sum.endpoints, leg->endpoint_id);
	return 0;
}

/* The numbers of an RST that the program, or the client, takes for the other's. */
static void reset_numbers(const struct dp *dp, const struct weir_flow *flow,
			  uint32_t *from_client, uint32_t *from_us)
{
	struct weir_leg leg;
	bool collects = flow->slot != WEIR_NO_SLOT && flow->state == WEIR_FLOW_HEAD;

	*from_client = collects ? flow->head_end : flow->next_req;
	if (flow->state == WEIR_FLOW_CONNECT)
		*from_client = flow->head_end;
	*from_us = flow->srv_nxt;
	if (flow->state == WEIR_FLOW_SPLICED &&
	    !bpf_map_lookup_elem(dp->map[DP_MAP_legs], &flow->leg, &leg)) {
		*from_client = leg.ack_max + leg.ack_add;
		*from_us = leg.seq_max + leg.seq_add;
	}
}

/* Both ends of a live flow are told; true when the program has ended it. */
static bool end_flow(const struct dp *dp, struct injector *in,
		     const struct weir_tuple *key, const struct weir_flow *flow)
{
	struct segment rst = {.tuple = *key, .flags = SEGMENT_RST | SEGMENT_ACK};
	struct segment back = {.flags = SEGMENT_RST};
	struct weir_flow after;
	struct err ignored = {};

	reset_numbers(dp, flow, &rst.seq, &back.seq);
	rst.ack = back.seq;
	if (inject_run(in, &rst, flow->to_client.ifindex, 0, &ignored) ||
	    bpf_map_lookup_elem(dp->map[DP_MAP_flows], key, &after) ||
	    !flow_is_over(&after))
		return false;
	back.tuple.src = key->dst;
	back.tuple.dst = key->src;
	back.tuple.sport = key->dport;
	back.tuple.dport = key->sport;
	inject_send(in, &back, &ignored);
	return true;
}

static void give_slot(const struct dp *dp, uint32_t slot)
{
	if (slot != WEIR_NO_SLOT && slot < WEIR_HEAD_SLOTS)
		bpf_map_update_elem(dp->map[DP_MAP_head_free], NULL, &slot, BPF_ANY);
}

/* Takes the flow out together with what it holds: who gets the value from
 * lookup-and-delete is the only one to give its buffers back. */
static void forget_flow(const struct dp *dp, const struct weir_tuple *key,
			struct sweeping *s)
{
	struct weir_flow flow;

	if (bpf_map_lookup_and_delete_elem(dp->map[DP_MAP_flows], key, &flow))
		return;
	s->sum.expired_flows++;
	/* A packet that came at this very moment sees to the buffer itself. */
	if (flow.claim)
		return;
	give_slot(dp, flow.slot);
	give_slot(dp, flow.spare);
}

/* Looks again: a packet may have come since. */
static void expire_flow(const struct dp *dp, struct injector *in,
			const struct weir_tuple *key, struct sweeping *s)
{
	struct weir_flow flow;
	uint64_t since;
	bool is_late;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_flows], key, &flow) || flow.claim)
		return;
	is_late = flow_is_late(s, &flow);
	since = head_since(s->memory, hash64(key, sizeof(*key), flow.head_seq),
			   s->now_ns);
	if (!is_late &&
	    !(is_reading(&flow) && is_over(since, s->now_ns, s->head_timeout_s)))
		return;
	if (!flow_is_over(&flow) && end_flow(dp, in, key, &flow))
		s->sum.ended++;
	else if (is_late)
		forget_flow(dp, key, s);
}

static void expire_leg(const struct dp *dp, const struct weir_tuple *key,
		       struct sweeping *s)
{
	int fd = dp->map[DP_MAP_legs];
	struct weir_leg leg;

	if (bpf_map_lookup_elem(fd, key, &leg) ||
	    !is_over(leg.seen_ns, s->now_ns, leg_patience_s(&leg)))
		return;
	if (!bpf_map_delete_elem(fd, key))
		s->sum.expired_legs++;
}

static int expire_flows(const struct dp *dp, struct sweeping *s, struct err *err)
{
	struct injector in;
	size_t i;
	int r;

	if (!s->flows.len)
		return 0;
	r = injector_open(&in, dp, err);
	if (r)
		return r;
	for (i = 0; i < s->flows.len; i++)
		expire_flow(dp, &in, &s->flows.item[i], s);
	injector_close(&in);
	return 0;
}

/* What is there now is what was there before, next time. */
static void remember(struct sweeping *s)
{
	if (s->heads.len)
		qsort(s->heads.item, s->heads.len, sizeof(*s->heads.item), by_flow);
	free(s->memory->heads);
	s->memory->heads = s->heads.item;
	s->memory->head_count = s->heads.len;
	s->memory->closed_s = sweep_closed_s(s->seen, WEIR_MAX_FLOWS);
}

int flows_sweep(const struct dp *dp, uint64_t now_ns, struct sweep_memory *memory,
		struct sweep *out, struct err *err)
{
	struct sweeping s = {.now_ns = now_ns, .memory = memory};
	struct weir_settings settings;
	size_t i;
	int r = dp_settings_read(dp, &settings, err);

	if (r)
		return r;
	s.head_timeout_s = settings.head_timeout_s;
	if (!memory->closed_s)
		memory->closed_s = FLOW_CLOSED_S;
	r = map_each(dp->map[DP_MAP_flows], look_at_flow, &s, err);
	if (!r)
		r = map_each(dp->map[DP_MAP_legs], look_at_leg, &s, err);
	if (!r)
		r = expire_flows(dp, &s, err);
	for (i = 0; !r && i < s.legs.len; i++)
		expire_leg(dp, &s.legs.item[i], &s);
	vec_free(&s.flows);
	vec_free(&s.legs);
	remember(&s);
	if (r) {
		sweep_fini(&s.sum);
		return err_set(err, r, "connections cannot be swept: %s", strerror(-r));
	}
	s.sum.is_full = memory->closed_s < FLOW_CLOSED_S;
	*out = s.sum;
	return 0;
}

void sweep_fini(struct sweep *s)
{
	id_set_free(&s->endpoints);
}
