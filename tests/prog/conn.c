/* SPDX-License-Identifier: BSD-2-Clause */
#include "conn.h"

static const char *const none = "";

void conn_init(struct conn *c, uint16_t port, uint32_t isn)
{
	*c = (struct conn){
		.port = port,
		.cseq = isn,
		.cwin = 501,
		.mss = 1460,
		.wscale = 8,
		.sack = true,
		.ours = SOURCE_IP,
		.ewin = 502,
		.emss = 1460,
		.ewscale = WEIR_WSCALE,
		.esack = true,
	};
}

static void put_text(struct segment *s, const char *text)
{
	s->data = text ? text : none;
	s->len = strlen(s->data);
}

struct segment conn_syn(const struct conn *c)
{
	struct segment s = from_client(c, SYN, NULL);

	s.ack = 0;
	s.win = 64240;
	if (c->mss)
		opt_mss(&s, c->mss);
	if (c->sack)
		opt_sack_permitted(&s);
	if (c->wscale != WEIR_WSCALE_NONE)
		opt_wscale(&s, c->wscale);
	return s;
}

struct segment from_client(const struct conn *c, uint8_t flags, const char *text)
{
	struct segment s = bench_segment(CLIENT);

	s.sport = c->port;
	s.flags = flags;
	s.seq = c->cseq;
	s.ack = c->cack;
	s.win = c->cwin;
	put_text(&s, text);
	return s;
}

struct segment from_endpoint(const struct conn *c, uint8_t flags, const char *text)
{
	struct segment s = bench_segment(ENDPOINT);

	s.smac[5] += c->endpoint;
	s.src += c->endpoint;
	s.dst = c->ours;
	s.dport = c->leg_port;
	s.flags = flags;
	s.seq = c->eseq;
	s.ack = c->eack;
	s.win = c->ewin;
	put_text(&s, text);
	return s;
}

struct segment made_for_client(const struct conn *c, uint8_t flags, const char *text)
{
	struct segment s = bench_made(CLIENT, 0);

	s.dport = c->port;
	s.flags = flags;
	s.seq = c->cack;
	s.ack = c->cseq;
	s.win = c->wscale == WEIR_WSCALE_NONE ? BENCH_ROOM : BENCH_ROOM >> WEIR_WSCALE;
	put_text(&s, text);
	return s;
}

struct segment made_for_endpoint(const struct conn *c, uint8_t flags, const char *text)
{
	struct segment s = bench_made(ENDPOINT, c->endpoint);

	s.src = c->ours;
	s.sport = c->leg_port;
	s.flags = flags;
	s.seq = c->eack;
	s.ack = c->eseq;
	s.win = c->cwin;
	put_text(&s, text);
	return s;
}

/* Addresses of the other side; everything else of the packet stays. */
static struct segment turned(const struct segment *s, const struct segment *made)
{
	struct segment t = *s;

	t.side = made->side;
	memcpy(t.dmac, made->dmac, 6);
	memcpy(t.smac, made->smac, 6);
	t.src = made->src;
	t.dst = made->dst;
	t.sport = made->sport;
	t.dport = made->dport;
	t.trailer = s->trailer;
	return t;
}

/* Edges of a SACK option that begins with NOP NOP. */
static void shift_sack(struct segment *s, uint32_t add)
{
	uint32_t i;

	if (s->opts_len < 12 || s->opts[0] != 1 || s->opts[2] != 5)
		return;
	for (i = 4; i < s->opts_len; i += 4) {
		uint8_t *p = s->opts + i;
		uint32_t v = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];

		v += add;
		p[0] = v >> 24;
		p[1] = v >> 16;
		p[2] = v >> 8;
		p[3] = v;
	}
}

struct segment at_endpoint(const struct conn *c, const struct segment *s)
{
	struct segment made = made_for_endpoint(c, 0, NULL), t = turned(s, &made);

	t.seq += c->up;
	if (t.flags & ACK)
		t.ack += c->down;
	shift_sack(&t, c->down);
	return t;
}

struct segment at_client(const struct conn *c, const struct segment *s)
{
	struct segment made = made_for_client(c, 0, NULL), t = turned(s, &made);

	t.seq -= c->down;
	if (t.flags & ACK)
		t.ack -= c->up;
	shift_sack(&t, -c->up);
	return t;
}

static void opt_sack_or_pad(const struct conn *c, struct segment *s)
{
	if (c->sack)
		opt_sack_permitted(s);
	else
		opt_raw(s, "\1\1\1\1", 4);
}

static void opt_wscale_or_pad(const struct conn *c, struct segment *s, uint8_t shift)
{
	if (c->wscale != WEIR_WSCALE_NONE)
		opt_wscale(s, shift);
	else
		opt_raw(s, "\1\1\1\1", 4);
}

/* A frame some of whose numbers had to be learnt from it. */
static void must_be(const struct segment *want, const struct segment *got,
		    const char *file, int line)
{
	static uint8_t a[FRAME_MAX], g[FRAME_MAX];
	size_t a_len = segment_build(want, a), g_len = segment_build(got, g);

	if (!segment_same(a, a_len, g, g_len) || want->side != got->side)
		bench_fail_at(file, line, "not the frame that was expected");
}

void conn_handshake_at(struct conn *c, const char *file, int line)
{
	struct segment s = conn_syn(c), got, want;

	bench_send_at(&s, file, line);
	bench_take_at(&got, file, line);
	c->cseq++;
	c->cack = got.seq;
	want = made_for_client(c, SYN | ACK, NULL);
	/* a window in a SYN is never scaled */
	want.win = BENCH_WINDOW;
	opt_mss(&want, BENCH_MSS);
	opt_sack_or_pad(c, &want);
	opt_wscale_or_pad(c, &want, WEIR_WSCALE);
	must_be(&want, &got, file, line);
	c->cack++;
	c->head = c->cseq;
	s = from_client(c, ACK, NULL);
	bench_send_at(&s, file, line);
	bench_nothing_at(file, line);
}

void conn_take_syn_at(struct conn *c, const char *file, int line)
{
	uint32_t mss = c->mss ? c->mss : bench_mode()->v6 ? 1220 : 536, win = c->cwin;
	struct segment got, want;

	bench_take_at(&got, file, line);
	if (got.side != ENDPOINT)
		bench_fail_at(file, line, "nothing to an endpoint");
	c->endpoint = got.dst - ENDPOINT_IP(0);
	c->leg_port = got.sport;
	c->eack = got.seq + 1;
	c->up = c->eack - c->head;

	want = made_for_endpoint(c, SYN, NULL);
	want.seq = got.seq;
	want.ack = 0;
	if (c->wscale != WEIR_WSCALE_NONE)
		win <<= c->wscale;
	/* the window of a SYN is never scaled */
	want.win = win > 0xffff ? 0xffff : win;
	/* what a cookie can hold, and what the endpoint's path takes */
	mss = mss >= 1448   ? 1448
	      : mss >= 1428 ? 1428
	      : mss >= 1380 ? 1380
	      : mss >= 1300 ? 1300
	      : mss >= 1220 ? 1220
	      : mss >= 536  ? 536
			    : 64;
	if (mss > bench_path_mss())
		mss = bench_path_mss();
	opt_mss(&want, mss);
	opt_sack_or_pad(c, &want);
	opt_wscale_or_pad(c, &want, c->wscale);
	must_be(&want, &got, file, line);
}

void conn_request_at(struct conn *c, const char *text, const char *file, int line)
{
	struct segment s = from_client(c, PSH | ACK, text);

	c->head = c->cseq;
	bench_send_at(&s, file, line);
	conn_take_syn_at(c, file, line);
	c->cseq += s.len;
}

void conn_synack(struct conn *c)
{
	struct segment s = from_endpoint(c, SYN | ACK, NULL);

	c->eseq = 0x70000000 + c->leg_port;
	s.seq = c->eseq;
	s.win = 65160;
	if (c->emss)
		opt_mss(&s, c->emss);
	if (c->esack)
		opt_sack_permitted(&s);
	if (c->ewscale != WEIR_WSCALE_NONE)
		opt_wscale(&s, c->ewscale);
	bench_send(&s);
	c->eseq++;
	c->down = c->eseq - c->cack;
}

struct segment conn_refusal(const struct conn *c)
{
	struct segment s = from_endpoint(c, RST | ACK, NULL);

	s.seq = 0;
	s.win = 0;
	return s;
}

void conn_accept_at(struct conn *c, const char *head, const char *file, int line)
{
	struct segment want;

	conn_synack(c);
	want = made_for_endpoint(c, PSH | ACK, head);
	bench_expect_at(&want, file, line);
	c->eack += want.len;
}

void conn_open_at(struct conn *c, uint16_t port, const char *request, const char *file,
		  int line)
{
	conn_init(c, port, 1000000);
	conn_handshake_at(c, file, line);
	conn_request_at(c, request, file, line);
	conn_accept_at(c, request, file, line);
}

void conn_up_at(struct conn *c, uint8_t flags, const char *text, const char *file,
		int line)
{
	struct segment s = from_client(c, flags, text), want = at_endpoint(c, &s);

	bench_send_at(&s, file, line);
	bench_expect_at(&want, file, line);
	c->cseq += s.len + !!(flags & FIN);
	c->eack = c->cseq + c->up;
}

void conn_down_at(struct conn *c, uint8_t flags, const char *text, const char *file,
		  int line)
{
	struct segment s = from_endpoint(c, flags, text), want = at_client(c, &s);

	bench_send_at(&s, file, line);
	bench_expect_at(&want, file, line);
	c->eseq += s.len + !!(flags & FIN);
	c->cack = c->eseq - c->down;
}

void conn_respond_at(struct conn *c, const char *text, const char *file, int line)
{
	conn_down_at(c, PSH | ACK, text, file, line);
	conn_up_at(c, ACK, NULL, file, line);
}

struct segment conn_reply(const struct conn *c, uint32_t id, bool close, bool head_only)
{
	struct segment s = made_for_client(c, PSH | ACK | (close ? FIN : 0), NULL);
	const char *text;

	s.len = bench_reply(id, close, head_only, &text);
	s.data = text;
	return s;
}

void conn_open_idle(struct conn *c)
{
	conn_open(c, 40000, GET("/a"));
	conn_respond(c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

struct segment conn_next(struct conn *c, const char *text)
{
	struct segment s = from_client(c, PSH | ACK, text);

	c->head = c->cseq;
	c->cseq += s.len;
	return s;
}

void conn_expect_leave(const struct conn *old)
{
	struct segment s = made_for_endpoint(old, FIN | ACK, NULL);

	s.win = 0xffff;
	bench_expect(&s);
}

void conn_expect_poke(const struct conn *c, uint32_t acked)
{
	struct segment s = made_for_client(c, ACK, NULL);

	s.seq = acked - 1;
	s.ack = c->eack - c->up;
	s.data = "\0";
	s.len = 1;
	bench_outcome(WEIR_POKED);
	bench_expect(&s);
}

void conn_answered(struct conn *c, const char *response, uint32_t end)
{
	uint32_t acked = c->cack;
	struct segment s;

	conn_down(c, PSH | ACK, response);
	conn_expect_poke(c, acked);
	c->cseq = end;
	s = from_client(c, ACK, NULL);
	bench_send(&s);
}

void conn_answered_and_moved(struct conn *c, const char *response, uint32_t head,
			     uint32_t end)
{
	struct conn old = *c;

	conn_answered(c, response, end);
	bench_outcome(WEIR_SWITCHED);
	old.eseq = c->eseq;
	conn_expect_leave(&old);
	c->head = head;
	conn_take_syn(c);
}

void conn_switch(struct conn *c, const char *text)
{
	struct conn old = *c;
	struct segment s = conn_next(c, text);

	bench_send(&s);
	bench_outcome(WEIR_SWITCHED);
	conn_expect_leave(&old);
	conn_take_syn(c);
	conn_accept(c, text);
}
