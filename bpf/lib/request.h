/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Request heads: gather the client's bytes, scan, route, and decide where the
 * request goes. The buffer of a flow holds [head_seq, head_end) of the
 * client's stream, first bytes win: what was routed is what is forwarded.
 */
#pragma once

#include "lib/connect.h"
#include "lib/reply.h"
#include "lib/response.h"

/* Longest rewritten part that is put back into the packet at hand; a longer
 * one is sent from the buffer. */
#define REWRITE_MAX WEIR_HEAD_SLACK

/* Our next byte in the client's view. While an endpoint answers, what the
 * client has acknowledged is as good as its true value (RFC 9293, 3.10.7.4). */
static __always_inline u32 flow_server_seq(const struct weir_flow *f,
					   const struct pkt *p)
{
	return f->state == WEIR_FLOW_SPLICED ? p->ack : f->srv_nxt;
}

/* Acknowledge the client's bytes so far. Returns a TC action, or -1. */
static __always_inline int request_ack(struct __sk_buff *skb, struct scratch *s,
				       struct weir_flow *f)
{
	u32 used = flow_collects(f) ? f->head_end - f->head_seq : 0;

	return emit_answer(skb, flow_server_seq(f, &s->p), flow_expects(f), TCP_ACK,
			   head_window(f, used));
}

/* Copy n payload bytes (1..WEIR_HEAD_MAX) from `off` of the packet to `at` of a
 * head buffer, at + n within it. */
static __always_inline int head_load(struct __sk_buff *skb, struct weir_head *b, u32 at,
				     u32 off, u32 n)
{
	u32 i;

	for (i = 0; i < WEIR_HEAD_MAX / WEIR_HEAD_SLACK; i++) {
		u32 c = n > WEIR_HEAD_SLACK ? WEIR_HEAD_SLACK : n;

		if (!pure_range(&c, WEIR_HEAD_SLACK))
			break;
		if (bpf_skb_load_bytes(skb, off, &b->data[at & WEIR_HEAD_MASK], c))
			return -1;
		at += c;
		off += c;
		n -= c;
	}
	return 0;
}

/*
 * Add the packet's new bytes to the buffer. Returns the head's status after
 * them, or 0 with *verdict set.
 */
static __always_inline int request_gather(struct __sk_buff *skb, struct scratch *s,
					  struct weir_flow *f, int *verdict)
{
	struct weir_head *b;
	u32 skip, used, room, n;

	if (f->flags & WEIR_FLOW_PENDING) {
		/* bytes that have just been moved to the front, and what follows them */
		f->flags &= ~WEIR_FLOW_PENDING;
		b = slot_of(f);
		if (!b) {
			*verdict = DROP(ERROR);
			return 0;
		}
		if (f->head_end - s->p.seq >= s->p.len)
			return head_scan(b, f->head_end - f->head_seq, &s->h);
	}
	skip = flow_expects(f) - s->p.seq;
	if ((s32)skip < 0) {
		/* T127: nothing is parsed before the gap is filled */
		if (f->state == WEIR_FLOW_SPLICED && !flow_collects(f))
			*verdict = DROP(HEAD_GAP);
		else
			*verdict = VERDICT(HEAD_GAP, request_ack(skb, s, f));
		return 0;
	}
	if (skip >= s->p.len) {
		*verdict = VERDICT(HEAD_OLD, request_ack(skb, s, f));
		return 0;
	}
	if (!packet_sum_ok(skb)) {
		*verdict = DROP(HEAD_CSUM);
		return 0;
	}
	if (!flow_collects(f)) {
		if (!slot_take(f)) {
			*verdict = DROP(SLOTS_FULL);
			return 0;
		}
		f->head_seq = f->next_req;
		f->head_end = f->next_req;
	}
	b = slot_of(f);
	used = f->head_end - f->head_seq;
	room = used < WEIR_HEAD_MAX ? WEIR_HEAD_MAX - used : 0;
	n = s->p.len - skip;
	if (n > room)
		n = room;
	if (!b || !n) {
		*verdict = DROP(HEAD_FULL);
		return 0;
	}
	if (head_load(skb, b, used, s->p.l4 + s->p.hl + skip, n)) {
		*verdict = DROP(ERROR);
		return 0;
	}
	f->head_end += n;
	f->loaded_end = f->head_end;
	if (s->p.flags & TCP_FIN && n == s->p.len - skip) {
		f->flags |= WEIR_FLOW_FIN_CLIENT;
		f->fin_seq = f->head_end;
	}
	return head_scan(b, used + n, &s->h);
}

/* What weir cannot read as HTTP/1 goes to the full gateway, if there is one, with
 * all that follows it. */
static __always_inline bool request_hand_over(struct weir_flow *f)
{
	u32 zero = 0;
	void *inner = bpf_map_lookup_elem(&table, &zero);
	void *blob = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;

	if (!blob)
		return false;
	f->want_group = table_gateway(blob, table_mask);
	if (f->want_group == WEIR_NO_ID)
		return false;
	f->flags |= WEIR_FLOW_OPAQUE;
	f->flags &= ~WEIR_FLOW_CHUNKED;
	COUNT(REQ_GATEWAY);
	return true;
}

/* Bytes of a head, or of the start of one. */
__noinline int request_collect(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	int verdict = DROP(ERROR);
	int status;

	if (!s || !f)
		return DROP(ERROR);
	f->client_win = s->p.win;
	status = request_gather(skb, s, f, &verdict);
	if (!status)
		return verdict;
	if (status == HEAD_DONE)
		return STEP_ROUTE;
	if (status == HEAD_MORE && f->head_end - f->head_seq < WEIR_HEAD_MAX) {
		/* A client with Nagle sends no more before this is acknowledged.
		 * The last segment of a head never comes here. */
		f->flags &= ~WEIR_FLOW_FIN_CLIENT;
		if (f->state == WEIR_FLOW_SPLICED)
			f->flags |= WEIR_FLOW_PARTIAL;
		return VERDICT(HEAD_PARTIAL, request_ack(skb, s, f));
	}
	f->flags |= WEIR_FLOW_REQ_CLOSE;
	f->flags &= ~WEIR_FLOW_REQ_HEAD;
	f->want_group = WEIR_NO_ID;
	f->route_id = WEIR_NO_ID;
	f->next_req = f->head_end;
	f->body_left = 0;
	f->requests++;
	event_request(f, true);
	if (status != HEAD_BAD && request_hand_over(f))
		return f->state == WEIR_FLOW_SPLICED && choose_stays(f) ? STEP_FORWARD
									: STEP_CONNECT;
	if (status == HEAD_VERSION) {
		COUNT(REQ_VERSION);
		f->want_reply = WEIR_REPLY_VERSION;
	} else if (status == HEAD_BAD) {
		COUNT(REQ_BAD);
		f->want_reply = WEIR_REPLY_BAD_REQUEST;
	} else {
		COUNT(REQ_TOO_LONG);
		f->want_reply = WEIR_REPLY_TOO_LONG;
	}
	return STEP_REPLY;
}

/*
 * Where does the body end? Sets next_req, body_left and the flags of the
 * request. The packet at hand holds the end of the head. Returns 0, or -1 when
 * the framing of the body is broken.
 */
static __always_inline int request_bounds(struct __sk_buff *skb, struct scratch *s,
					  struct weir_flow *f)
{
	const struct http_head *h = &s->h;
	u64 body = h->flags & HEAD_LENGTH ? h->content_length : 0;
	u32 step = body > BODY_STEP ? BODY_STEP : (u32)body;

	f->next_req = f->head_seq + h->head_len + step;
	f->body_left = body - step;
	f->flags &= ~(WEIR_FLOW_REQ_CLOSE | WEIR_FLOW_REQ_HEAD | WEIR_FLOW_OPAQUE |
		      WEIR_FLOW_CHUNKED | WEIR_FLOW_UPGRADE);
	if (h->flags & HEAD_METHOD_HEAD)
		f->flags |= WEIR_FLOW_REQ_HEAD;
	if (h->flags & HEAD_UPGRADE) {
		f->flags |= WEIR_FLOW_UPGRADE | WEIR_FLOW_REQ_CLOSE;
		COUNT(REQ_PINNED);
	}
	if (h->flags & HEAD_CHUNKED) {
		f->flags |= WEIR_FLOW_CHUNKED;
		f->chunk_step = CHUNK_SIZE_FIRST;
		f->chunk_size = 0;
		if (!seq_before(f->next_req, s->p.seq) && body_scan(skb, f))
			return -1;
	}
	if (seq_before(f->next_req, f->head_end)) {
		/* another request, which may go elsewhere: see request_more() */
		f->head_end = f->next_req;
	}
	/* a reply of ours to a request whose body is still coming closes */
	if (h->flags & HEAD_CLOSE || f->body_left || f->flags & WEIR_FLOW_CHUNKED ||
	    f->head_end != f->next_req)
		f->flags |= WEIR_FLOW_REQ_CLOSE;
	return 0;
}

static __always_inline int request_refuse(struct weir_flow *f)
{
	COUNT(REQ_BAD);
	f->flags |= WEIR_FLOW_REQ_CLOSE;
	f->flags &= ~WEIR_FLOW_CHUNKED;
	f->next_req = f->head_end;
	f->body_left = 0;
	f->want_group = WEIR_NO_ID;
	f->route_id = WEIR_NO_ID;
	f->want_reply = WEIR_REPLY_BAD_REQUEST;
	return STEP_REPLY;
}

static __always_inline void request_want(struct weir_flow *f, const struct http_head *h,
					 const struct route_match *m, int found,
					 bool again)
{
	f->want_group = WEIR_NO_ID;
	f->route_id = WEIR_NO_ID;
	if (found != TABLE_FOUND) {
		if (found == TABLE_NONE) {
			COUNT(REQ_NO_ROUTE);
			f->want_reply = WEIR_REPLY_NOT_FOUND;
		} else {
			COUNT(NO_TABLE);
			f->want_reply = WEIR_REPLY_UNAVAILABLE;
		}
		return;
	}
	f->route_id = m->route_id;
	stats_request(f, again);
	switch (m->action) {
	case WEIR_ACTION_GROUP:
		if (m->flags & WEIR_ROUTE_FALLBACK)
			COUNT(REQ_FALLBACK);
		else
			COUNT(REQ_ROUTED);
		f->want_group = m->group_id;
		break;
	case WEIR_ACTION_GATEWAY:
		COUNT(REQ_GATEWAY);
		f->want_group = m->group_id;
		break;
	case WEIR_ACTION_REPLY:
		COUNT(REQ_REPLY);
		f->want_reply = m->reply_id;
		f->host_off = h->host_off;
		f->host_len = h->host_len;
		f->target_off = h->target_off;
		f->target_len = h->target_len;
		break;
	default:
		COUNT(REQ_UNHONOURED);
		f->want_reply = WEIR_REPLY_UNHONOURED;
	}
}

/* A whole head is in the buffer (scratch.h): find its route and rewrite it. */
__noinline int request_route(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	u32 zero = 0, before;
	struct weir_head *b;
	void *inner, *blob;
	int found = TABLE_ABSENT;

	if (!s || !f)
		return DROP(ERROR);
	b = slot_of(f);
	if (!b)
		return DROP(ERROR);
	s->h.changed = 0;
	if (!(s->h.flags & HEAD_NORMAL) && head_rewrite(b, &s->h, 0) < 0) {
		f->requests++;
		f->route_id = WEIR_NO_ID;
		event_request(f, true);
		return request_refuse(f);
	}
	inner = bpf_map_lookup_elem(&table, &zero);
	if (inner) {
		blob = bpf_map_lookup_elem(inner, &zero);
		if (blob)
			found = table_find(blob, table_mask, b, &s->h, &s->m);
	}
	f->requests++;
	before = f->state == WEIR_FLOW_SPLICED ? f->route_id : WEIR_NO_ID;
	f->route_id = found == TABLE_FOUND ? s->m.route_id : WEIR_NO_ID;
	event_request(f, false);
	if (found == TABLE_FOUND && s->m.action == WEIR_ACTION_GROUP &&
	    s->m.strip_len && head_rewrite(b, &s->h, s->m.strip_len) < 0)
		return request_refuse(f);
	if (request_bounds(skb, s, f))
		return request_refuse(f);
	request_want(f, &s->h, &s->m, found, f->route_id == before);
	if (f->want_group == WEIR_NO_ID) {
		if (seq_before(f->head_end, f->loaded_end))
			COUNT(REQ_SPLIT);
		return STEP_REPLY;
	}
	return f->state == WEIR_FLOW_SPLICED && choose_stays(f) ? STEP_FORWARD
								: STEP_CONNECT;
}

/* Put the first n bytes of the buffer (1..REWRITE_MAX) in place of the
 * payload's first n. Packet pointers are lost. */
static __always_inline int request_put(struct __sk_buff *skb, struct scratch *s,
				       const struct weir_head *b, u32 n)
{
	struct sum_walk was = {
		.skb = skb,
		.s = s,
		.off = s->p.l4 + s->p.hl,
		.left = n,
	};
	/* else the checksum covers no payload yet */
	bool summed = packet_summed(skb) != SUMMED_PARTIAL;
	u32 now = 0;

	if (summed) {
		bpf_loop(REWRITE_MAX / SUM_CHUNK, sum_chunk, &was, 0);
		now = sum_head(b, 0, n);
	}
	if (!pure_range(&n, REWRITE_MAX))
		return -1;
	if (bpf_skb_store_bytes(skb, s->p.l4 + s->p.hl, b->data, n, 0))
		return -1;
	if (!summed)
		return 0;
	return bpf_l4_csum_replace(skb, s->p.l4 + 16, 0, sum_diff(now, was.sum), 0);
}

/*
 * The request in the buffer goes to the endpoint that the flow already has, by leg l.
 * Returns STEP_SPLICE when the packet at hand is the request, or the verdict.
 */
__noinline int request_forward(struct __sk_buff *skb, struct weir_flow *f,
			       struct weir_leg *l)
{
	struct scratch *s = scratch_get();
	struct weir_head *b;
	bool whole;
	u32 end;

	if (!s || !f)
		return DROP(ERROR);
	b = slot_of(f);
	if (!b || !l) {
		slots_free(f);
		return VERDICT(FLOW_GONE, emit_reset(skb, &s->p));
	}
	/* is the packet nothing but this request, or its head and part of its body? */
	end = s->p.seq + s->p.len;
	whole = s->p.seq == f->head_seq && !(f->flags & WEIR_FLOW_PARTIAL) &&
		s->h.changed <= REWRITE_MAX &&
		(f->flags & WEIR_FLOW_OPAQUE || f->body_left ||
		 !seq_before(f->next_req, end));
	if (!leg_claim(l)) {
		f->flags |= WEIR_FLOW_HELD;
		return DROP(REQ_HELD);
	}
	f->flags &= ~(WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD | WEIR_FLOW_REPLY);
	stats_up(f, l);
	stats_asked(f, l,
		    s->p.ack == l->seq_max + l->seq_add &&
			    !(l->waits & WEIR_WAITS_ANSWER));
	/* the head alone is kept; the client's TCP keeps the body */
	if (whole && seq_diff(f->head_end, f->head_seq + s->h.head_len) > 0)
		f->head_end = f->head_seq + s->h.head_len;
	l->kept_ack = f->head_end + f->seq_add;
	leg_waits(f, l);
	leg_release(l);
	if (!whole) {
		f->sent_end = f->head_seq;
		return STEP_MORE;
	}
	f->sent_end = f->head_end;
	if (s->h.changed && request_put(skb, s, b, s->h.changed))
		return DROP(ERROR);
	return STEP_SPLICE;
}

/* The kept head goes to the endpoint again, from what it lacks on. */
__noinline int request_resend(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;
	u32 from;

	if (!s || !f)
		return DROP(ERROR);
	l = flow_leg(f, &s->client);
	if (!l)
		return DROP(ERROR);
	from = l->ack_max - f->seq_add;
	if (seq_before(from, f->head_seq) && !proxy_before(f))
		from = f->head_seq;
	if (seq_before(f->head_end, from))
		from = f->head_end;
	return VERDICT(RESENT, connect_send(skb, f, from, f->head_end, l->seq_max));
}

/*
 * A request that is broken when the endpoint has part of it: both ends are reset
 * at the numbers that they expect. (One that is broken before gets 400.)
 */
static __always_inline int request_abort(struct __sk_buff *skb, struct scratch *s,
					 struct weir_flow *f, struct weir_leg *l)
{
	f->flags |= WEIR_FLOW_DONE;
	l->flags |= WEIR_LEG_FIN_CLIENT | WEIR_LEG_FIN_ENDPOINT;
	l->state = WEIR_LEG_CLOSED;
	slots_free(f);
	tuple_reverse(&s->out.t, &f->leg);
	s->out.hop = f->to_endpoint;
	s->out.seq = l->ack_max;
	s->out.ack = l->seq_max;
	s->out.flags = TCP_RST | TCP_ACK;
	s->out.win = 0;
	s->out.opt_words = 0;
	if (emit_control(skb, s))
		return DROP(UNSENT);
	if (bpf_clone_redirect(skb, f->to_endpoint.ifindex, 0))
		COUNT(UNSENT);
	tuple_reverse(&s->out.t, &s->client);
	s->out.hop = f->to_client;
	s->out.seq = s->p.ack;
	s->out.ack = s->p.seq + s->p.len;
	if (emit_control(skb, s))
		return DROP(UNSENT);
	return VERDICT(REQ_BAD, bpf_redirect(f->to_client.ifindex, 0));
}

/*
 * Chunk framing stands in the packet at hand: read it and send the packet on, or
 * as much of it as belongs to this request.
 */
__noinline int request_body(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;
	u32 end;

	if (!s || !f)
		return DROP(ERROR);
	l = flow_leg(f, &s->client);
	if (!l)
		return DROP(ERROR);
	end = s->p.seq + s->p.len;
	if (seq_before(f->next_req, s->p.seq))
		return DROP(HEAD_GAP);
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	if (body_scan(skb, f))
		return request_abort(skb, s, f, l);
	if (seq_before(f->next_req, end))
		return f->slot == WEIR_NO_SLOT ? STEP_TRIM : DROP(REQ_HELD);
	if (s->p.flags & TCP_FIN)
		flow_fin_client(f, l, end);
	return STEP_SPLICE;
}

/*
 * Close a leg that the flow leaves: FIN at the request boundary, from the
 * carrier, whose bytes are gone afterwards. What the endpoint still sends is
 * answered by endpoint.h (orphan).
 */
__noinline int request_leave(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;

	if (!s || !f)
		return -1;
	l = flow_leg(f, &s->client);
	if (!l)
		return 0;
	stats_end(f, l);
	if (leg_is_over(l)) {
		l->state = WEIR_LEG_CLOSED;
		return 0;
	}
	l->state = WEIR_LEG_ORPHAN;
	l->fin_seq = f->head_seq + f->seq_add;
	tuple_reverse(&s->out.t, &f->leg);
	s->out.hop = f->to_endpoint;
	s->out.seq = l->fin_seq;
	s->out.ack = l->seq_max;
	s->out.flags = TCP_FIN | TCP_ACK;
	s->out.win = 0xffff;
	s->out.opt_words = 0;
	if (emit_control(skb, s))
		return -1;
	if (bpf_clone_redirect(skb, f->to_endpoint.ifindex, 0))
		COUNT(UNSENT);
	return 0;
}

/*
 * May the request in the buffer leave the endpoint that the flow has? Only
 * when the responses before it are over and the client has acknowledged all of
 * them; until then the request is held, and looked at again with every packet
 * of the client's. Returns 0 when the flow is free, or the verdict.
 */
__noinline int request_free(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;

	if (!s || !f)
		return DROP(ERROR);
	if (f->state != WEIR_FLOW_SPLICED)
		return 0;
	l = flow_leg(f, &s->client);
	if (l && !response_all_acked(l, s->p.ack)) {
		f->flags |= WEIR_FLOW_HELD;
		f->srv_nxt = s->p.ack;
		l->flags |= WEIR_LEG_POKE;
		return DROP(REQ_HELD);
	}
	if (f->flags & WEIR_FLOW_FIN_SERVER) {
		/* the client has been told that the connection ends */
		slots_free(f);
		f->flags &= ~(WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD);
		f->flags |= WEIR_FLOW_DONE;
		return VERDICT(FLOW_GONE, emit_reset(skb, &s->p));
	}
	f->srv_nxt = s->p.ack;
	f->tries = 0;
	if (request_leave(skb, f))
		return DROP(UNSENT);
	COUNT(SWITCHED);
	f->state = WEIR_FLOW_HEAD;
	f->flags &= ~(WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD);
	f->group_id = WEIR_NO_ID;
	return 0;
}
