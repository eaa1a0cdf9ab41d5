// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The TC program of weir, attached to the ingress of every interface on which
 * clients or endpoints arrive. This file holds the order of the steps:
 *
 *	parse -> ours? -> flow or leg -> fast: splice
 *				      -> else: what its state says, step by step
 *
 * Every end is an outcome of <weir/outcome.h> and is counted.
 */
#include "lib/client.h"
#include "lib/endpoint.h"
#include "lib/icmp.h"
#include "lib/maps.h"
#include "lib/pipeline.h"
#include "lib/response.h"
#include "lib/splice.h"

#include "pure/chunk.c"
#include "pure/cookie.c"
#include "pure/head.c"
#include "pure/response.c"
#include "pure/rewrite.c"
#include "pure/tcpopt.c"
#include "pure/walk.c"

static __always_inline int finish(int verdict)
{
	count((u32)verdict >> 8);
	return (__s8)(verdict & 0xff);
}

/* A packet of the client's with the flow's shift. */
static __always_inline int to_endpoint(struct __sk_buff *skb, const struct pkt *p,
				       struct view *v, struct weir_flow *f)
{
	struct turn to = {.back = &f->leg, .hop = &f->to_endpoint};
	u32 seq = p->seq;

	/* bytes of a head that the endpoint has not been given yet are no
	 * business of its receive window */
	if (f->flags & (WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD | WEIR_FLOW_PENDING)) {
		u32 given = f->flags & WEIR_FLOW_PENDING ? f->head_end : f->head_seq;

		if (seq_before(given, seq))
			seq = given;
	}
	to.seq = seq + f->seq_add;
	to.ack = p->ack + f->ack_add;
	to.ack_add = f->ack_add;
	to.win = f->win_shift ? client_window(f, p->win) : p->win;
	f->bytes_up += p->len;
	flow_seen(&f->seen_ns, &f->seen_jiffies);
	return VERDICT(TO_ENDPOINT, splice(skb, p, v, &to));
}

/* A packet of the endpoint's with the leg's shift. */
static __always_inline int to_client(struct __sk_buff *skb, const struct pkt *p,
				     struct view *v, struct weir_leg *l)
{
	struct turn to = {.back = &l->client, .hop = &l->to_client};
	u32 end = p->seq + packet_span(p);

	to.seq = p->seq + l->seq_add;
	to.ack = p->ack + l->ack_add;
	to.ack_add = l->ack_add;
	to.win = l->win_shift >= 0 ? window_rescale(p->win, 0, l->win_shift)
				   : window_rescale(p->win, -l->win_shift, 0);
	if (seq_before(l->seq_max, end))
		l->seq_max = end;
	if (seq_before(l->ack_max, p->ack))
		l->ack_max = p->ack;
	l->bytes_down += p->len;
	flow_seen(&l->seen_ns, &l->seen_jiffies);
	return VERDICT(TO_CLIENT, splice(skb, p, v, &to));
}

static __always_inline bool client_is_fast(const struct weir_flow *f,
					   const struct pkt *p)
{
	return f->state == WEIR_FLOW_SPLICED &&
	       (p->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
	       !(f->flags & (WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD | WEIR_FLOW_PENDING |
			     WEIR_FLOW_DONE)) &&
	       (!p->len ||
		((f->flags & WEIR_FLOW_OPAQUE ||
		  !seq_before(f->next_req, p->seq + p->len)) &&
		 (f->slot == WEIR_NO_SLOT || !seq_before(p->seq, f->head_end))));
}

static __always_inline bool endpoint_is_plain(const struct weir_leg *l,
					      const struct pkt *p)
{
	return l->state == WEIR_LEG_SPLICED &&
	       (p->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
	       !(l->flags & WEIR_LEG_POKE);
}

/* Splice after a step that may have moved the packet: parse it again. Functions
 * of their own, so that their stack does not add to that of the slow steps. */
__noinline int splice_client(struct __sk_buff *skb, struct weir_flow *f)
{
	struct view v;
	struct pkt p;

	if (!f || packet_parse(skb, &p, &v) != PACKET_OURS)
		return DROP(ERROR);
	if (splice_needs_options(&p, &v) && (bpf_skb_pull_data(skb, p.l4 + p.hl) ||
					     packet_parse(skb, &p, &v) != PACKET_OURS))
		return DROP(ERROR);
	if (splice_needs_options(&p, &v) && (splice_sack_anywhere(skb, f->ack_add) ||
					     packet_parse(skb, &p, &v) != PACKET_OURS))
		return DROP(ERROR);
	return to_endpoint(skb, &p, &v, f);
}

__noinline int splice_endpoint(struct __sk_buff *skb, struct weir_leg *l)
{
	struct view v;
	struct pkt p;

	if (!l || packet_parse(skb, &p, &v) != PACKET_OURS)
		return DROP(ERROR);
	if (splice_needs_options(&p, &v) && (bpf_skb_pull_data(skb, p.l4 + p.hl) ||
					     packet_parse(skb, &p, &v) != PACKET_OURS))
		return DROP(ERROR);
	if (splice_needs_options(&p, &v) && (splice_sack_anywhere(skb, l->ack_add) ||
					     packet_parse(skb, &p, &v) != PACKET_OURS))
		return DROP(ERROR);
	return to_client(skb, &p, &v, l);
}

/* The steps that follow once a request has to be served. The flow is claimed. */
static __always_inline int serve(struct __sk_buff *skb, struct weir_flow *f,
				 struct weir_leg *l, int r)
{
	if (r == STEP_KEEP)
		r = client_keep(skb, f);
	if (r == STEP_APPEND)
		r = request_append(skb, f);
	if (r == STEP_COLLECT) {
		if (f->flags & WEIR_FLOW_PENDING)
			request_unpend(f);
		r = request_collect(skb, f);
	}
	if (r == STEP_ROUTE)
		r = request_route(skb, f);
	if (r == STEP_FORWARD)
		r = request_forward(skb, f, l);
	if (r == STEP_CONNECT || r == STEP_REPLY) {
		int held = request_free(skb, f);

		if (held)
			r = held;
	}
	if (r == STEP_CONNECT)
		r = connect_start(skb, f);
	if (r == STEP_REPLY) {
		r = reply_start(skb, f);
		stats_reply(f);
	}
	if (r == STEP_REPEAT)
		r = reply_more(skb, f);
	if (r == STEP_MORE || r == STEP_FIRST) {
		u32 i;

		for (i = 0; i < REQUESTS_MORE; i++)
			if (request_more(f))
				break;
		r = request_send(skb, f, r == STEP_FIRST);
	}
	if (r == STEP_RESEND)
		r = request_resend(skb, f);
	if (r == STEP_BODY)
		r = request_body(skb, f);
	if (r == STEP_TRIM)
		r = request_stash(skb, f);
	if (r == STEP_TRIM)
		r = request_trim(skb, f);
	return r;
}

/* A packet for a listener that is not simply spliced. */
static __always_inline int client_slow(struct __sk_buff *skb, struct scratch *s,
				       struct weir_flow *f)
{
	struct weir_leg *l = NULL;
	int r;

	s->client = s->p.t;
	if (!f) {
		if ((s->p.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
			return handshake_syn(skb);
		r = handshake_first(skb);
		if (r)
			return r;
		f = bpf_map_lookup_elem(&flows, &s->client);
		if (!f)
			return DROP(ERROR);
	}
	if (!flow_claim(f))
		return DROP(CONTENDED);
	flow_seen(&f->seen_ns, &f->seen_jiffies);
	if (f->state == WEIR_FLOW_SPLICED)
		l = flow_leg(f, &s->client);
	r = client_packet(skb, f, l, 0);
	if (r == STEP_AGAIN) {
		r = handshake_again(skb, f);
		if (r == 0 || r == 1)
			r = client_packet(skb, f, l, 1);
	}
	r = serve(skb, f, l, r);
	if (r == DROP(REQ_HELD) && !s->p.len && !(s->p.flags & (TCP_FIN | TCP_RST)))
		r = STEP_SPLICE;
	if (r == STEP_SPLICE)
		r = splice_client(skb, f);
	flow_release(f);
	if (r == STEP_SYN)
		r = handshake_syn(skb);
	return r < 0 ? DROP(ERROR) : r;
}

/* A packet of an endpoint that is not simply spliced. */
static __always_inline int endpoint_slow(struct __sk_buff *skb, struct scratch *s,
					 struct weir_leg *l)
{
	struct weir_flow *f = leg_flow(l, &s->p.t);
	int r;

	s->client = l->client;
	if (f && !flow_claim(f))
		return DROP(CONTENDED);
	r = endpoint_packet(skb, l, f);
	if (r < 0 && f) {
		if (s->p.len && (r == STEP_SPLICE || r == STEP_FEED) &&
		    !response_pass(skb, l, &s->p, 1))
			r = DROP(CONTENDED);
		if (r == STEP_SPLICE && l->flags & WEIR_LEG_POKE &&
		    f->flags & (WEIR_FLOW_HELD | WEIR_FLOW_PENDING) &&
		    response_all_over(l))
			r = STEP_POKE;
		if (r == STEP_FEED || r == STEP_POKE) {
			int sent = splice_endpoint(skb, l);

			if ((sent & 0xff) == TC_ACT_REDIRECT &&
			    bpf_clone_redirect(skb, l->to_client.ifindex, 0))
				COUNT(UNSENT);
			if (r == STEP_POKE) {
				count((u32)sent >> 8);
				r = endpoint_poke(skb, f, l);
				goto out;
			}
			s->feed_shift = f->wscale == WEIR_WSCALE_NONE
						? 0
						: WEIR_WSCALE - l->win_shift;
			r = endpoint_feed(skb, f);
		} else if (r == STEP_SPLICE) {
			r = splice_endpoint(skb, l);
		} else if (r < 0) {
			r = serve(skb, f, l, r);
		}
	}
out:
	if (f)
		flow_release(f);
	return r < 0 ? DROP(ERROR) : r;
}

/*
 * IPv6 packets: parse, look up, splice. A function of its own: the stack of the
 * IPv4 path has no room for both, and IPv4 pays nothing for it. Returns the
 * verdict, STEP_ICMP, or STEP_CLIENT or STEP_ENDPOINT for scratch.p.
 */
__noinline int fast6(struct __sk_buff *skb)
{
	struct weir_flow *f = NULL;
	struct weir_leg *l = NULL;
	struct scratch *s;
	struct view v;
	struct pkt p;
	int r;

	if (packet_begin(skb, &v) || v.eth->h_proto != bpf_htons(ETH_P_IPV6))
		return PASS(PASS_OTHER);
	r = packet_parse6(skb, &p, &v);
	if (r != PACKET_OURS)
		return r;
	if (port_has_listener(bpf_ntohs(p.t.dport))) {
		f = bpf_map_lookup_elem(&flows, &p.t);
		if (f && client_is_fast(f, &p) && !splice_needs_options(&p, &v))
			return to_endpoint(skb, &p, &v, f);
		r = STEP_CLIENT;
	}
	if (r != STEP_CLIENT || !(f || listener_find(&p.t))) {
		l = bpf_map_lookup_elem(&legs, &p.t);
		if (!l)
			return PASS(PASS_OTHER);
		if (endpoint_is_plain(l, &p) && !splice_needs_options(&p, &v) &&
		    !response_turns(l, &p))
			return to_client(skb, &p, &v, l);
		r = STEP_ENDPOINT;
	}
	s = scratch_get();
	if (!s)
		return DROP(ERROR);
	s->p = p;
	return r;
}

SEC("tc")
int weir_tc(struct __sk_buff *skb)
{
	struct weir_flow *f = NULL;
	struct weir_leg *l;
	struct scratch *s;
	struct view v;
	struct pkt p;
	int r;

	r = packet_begin(skb, &v);
	if (r)
		return finish(r);
	if (v.eth->h_proto != bpf_htons(ETH_P_IP)) {
		r = fast6(skb);
		goto other;
	}
	r = packet_parse4(skb, &p, &v);
	if (r != PACKET_OURS)
		goto other;

	if (port_has_listener(bpf_ntohs(p.t.dport))) {
		f = bpf_map_lookup_elem(&flows, &p.t);
		if (f && client_is_fast(f, &p) && !splice_needs_options(&p, &v))
			return finish(to_endpoint(skb, &p, &v, f));
		if (f || listener_find(&p.t)) {
			s = scratch_get();
			if (!s)
				return finish(DROP(ERROR));
			s->p = p;
client:
			return finish(client_slow(skb, s, f));
		}
	}
	l = bpf_map_lookup_elem(&legs, &p.t);
	if (!l)
		return finish(PASS(PASS_OTHER));
	if (endpoint_is_plain(l, &p) && !splice_needs_options(&p, &v) &&
	    (!response_turns(l, &p) || response_pass(skb, l, &p, 0)))
		return finish(to_client(skb, &p, &v, l));
	s = scratch_get();
	if (!s)
		return finish(DROP(ERROR));
	s->p = p;
endpoint:
	return finish(endpoint_slow(skb, s, l));

other:
	if (r == STEP_ICMP)
		r = icmp_packet(skb);
	if (r >= 0)
		return finish(r);
	s = scratch_get();
	if (!s)
		return finish(DROP(ERROR));
	if (r == STEP_CLIENT) {
		f = bpf_map_lookup_elem(&flows, &s->p.t);
		goto client;
	}
	l = bpf_map_lookup_elem(&legs, &s->p.t);
	if (!l)
		return finish(DROP(ERROR));
	if (endpoint_is_plain(l, &s->p) && response_turns(l, &s->p) &&
	    response_pass(skb, l, &s->p, 0))
		return finish(splice_endpoint(skb, l));
	goto endpoint;
}

char _license[] SEC("license") = "Dual BSD/GPL";
