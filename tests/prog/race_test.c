/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * T120: two CPUs have packets of one connection at the same time. Whatever the
 * order, there is one flow, one endpoint and one copy of every byte; a packet
 * that comes too late to be looked at is one that its sender repeats.
 */
#include "conn.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <linux/pkt_cls.h>

#define ROUNDS 150

struct racer {
	const struct segment *segment;
	pthread_barrier_t *line;
	int cpu;
	int action;
	struct segment out;
	uint8_t frame[FRAME_MAX];
};

static void *race_one(void *arg)
{
	struct racer *r = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	pthread_barrier_wait(r->line);
	r->action = bench_try(r->segment, &r->out, r->frame);
	return NULL;
}

static struct racer racers[2];

/* Both at once, as nearly as can be. */
static void race(const struct segment *a, const struct segment *b)
{
	pthread_barrier_t line;
	pthread_t other;

	pthread_barrier_init(&line, NULL, 2);
	racers[0].segment = a;
	racers[1].segment = b;
	racers[1].cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	racers[0].line = racers[1].line = &line;
	assert_int_equal(pthread_create(&other, NULL, race_one, &racers[1]), 0);
	race_one(&racers[0]);
	pthread_join(other, NULL);
	pthread_barrier_destroy(&line);
}

static void syn_only(struct conn *c, int round)
{
	struct segment s, got;

	conn_init(c, 30000 + round, 5000 + round);
	s = conn_syn(c);
	bench_send(&s);
	bench_take(&got);
	c->cseq++;
	c->cack = got.seq + 1;
	c->head = c->cseq;
}

/* The SYN that the endpoint has got, in the numbers of the connection. */
static void take_syn(struct conn *c, const struct segment *got)
{
	c->endpoint = got->dst - ENDPOINT_IP(0);
	c->leg_port = got->sport;
	c->eack = got->seq + 1;
	c->up = c->eack - c->head;
}

/* One racer, or both with the same, have made a SYN. */
static void one_syn(struct conn *c)
{
	const struct segment *got = NULL;
	int i;

	for (i = 0; i < 2; i++) {
		const struct segment *o = &racers[i].out;

		if (racers[i].action != TC_ACT_REDIRECT || o->flags != SYN)
			continue;
		if (got) {
			assert_int_equal(got->seq, o->seq);
			assert_int_equal(got->sport, o->sport);
			assert_int_equal(got->dst, o->dst);
		}
		got = o;
	}
	assert_non_null(got);
	take_syn(c, got);
	assert_int_equal(bench_legs(), 1);
	assert_int_equal(bench_slots_held(), 1);
}

/* The handshake's ACK on one CPU, the request on the other */
static void test_ack_and_request(void **state)
{
	struct segment ack, request;
	struct conn c;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		syn_only(&c, i);
		ack = from_client(&c, ACK, NULL);
		request = from_client(&c, PSH | ACK, GET("/a"));
		c.cseq += request.len;
		race(&ack, &request);
		if (racers[1].action != TC_ACT_REDIRECT)
			racers[1].action =
				bench_try(&request, &racers[1].out, racers[1].frame);
		one_syn(&c);
		conn_accept(&c, GET("/a"));
		bench_fresh(state);
	}
}

/* The same request twice: one endpoint, one SYN */
static void test_same_request(void **state)
{
	struct segment s;
	struct conn c;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		syn_only(&c, i);
		s = from_client(&c, PSH | ACK, GET("/a"));
		c.cseq += s.len;
		race(&s, &s);
		one_syn(&c);
		conn_accept(&c, GET("/a"));
		bench_fresh(state);
	}
}

/* Two halves of a head, in whatever order they get their turn */
static void test_two_halves(void **state)
{
	static const char text[] = GET("/strip/x");
	static const char got[] = "GET /x HTTP/1.1\r\nHost:       a.example\r\n\r\n";
	struct segment a, b, s;
	struct conn c;
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		k = 1 + i % (sizeof(text) - 2);
		syn_only(&c, i);
		s = from_client(&c, ACK, NULL);
		bench_send(&s);
		a = from_client(&c, ACK, text);
		a.len = k;
		b = from_client(&c, PSH | ACK, text + k);
		b.seq += k;
		c.cseq += sizeof(text) - 1;
		race(&a, &b);
		/* what did not count comes again */
		s = from_client(&c, PSH | ACK, text);
		s.seq = c.head;
		racers[0].action = bench_try(&s, &racers[0].out, racers[0].frame);
		one_syn(&c);
		conn_accept(&c, got);
		bench_fresh(state);
	}
}

/* The endpoint's SYN-ACK twice; the client's retransmission beside it */
static void test_synack_and_repetition(void **state)
{
	struct segment synack, again, want;
	struct conn c;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		syn_only(&c, i);
		conn_request(&c, GET("/a"));
		synack = from_endpoint(&c, SYN | ACK, NULL);
		synack.seq = c.eseq = 77;
		opt_wscale(&synack, 7);
		again = from_client(&c, PSH | ACK, GET("/a"));
		again.seq = c.head;
		race(&synack, &again);
		c.eseq++;
		c.down = c.eseq - c.cack;
		if (racers[0].action != TC_ACT_REDIRECT)
			assert_int_equal(
				bench_try(&synack, &racers[0].out, racers[0].frame),
				TC_ACT_REDIRECT);
		want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
		assert_int_equal(racers[0].out.flags, want.flags);
		assert_int_equal(racers[0].out.seq, want.seq);
		assert_int_equal(racers[0].out.len, want.len);
		c.eack += want.len;
		conn_respond(&c, OK_RESPONSE);
		assert_int_equal(bench_slots_held(), 0);
		bench_fresh(state);
	}
}

/* The next request and the end of the answer before it */
static void test_request_and_response(void **state)
{
	struct segment up, down;
	struct conn c;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		syn_only(&c, i);
		conn_request(&c, GET("/a"));
		conn_accept(&c, GET("/a"));
		conn_respond(&c, OK_RESPONSE);
		conn_up(&c, PSH | ACK, GET("/a"));
		down = from_endpoint(&c, PSH | ACK, OK_RESPONSE);
		up = from_client(&c, PSH | ACK, GET("/a"));
		up.seq -= up.len;
		race(&up, &down);
		if (racers[1].action != TC_ACT_REDIRECT)
			bench_try(&down, NULL, racers[1].frame);
		c.eseq += down.len;
		c.cack += down.len;
		assert_int_equal(bench_slots_held(), 0);
		conn_up(&c, PSH | ACK, GET("/a"));
		conn_respond(&c, OK_RESPONSE);
		bench_fresh(state);
	}
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_ack_and_request),      BENCH_TEST(test_same_request),
	BENCH_TEST(test_two_halves),	       BENCH_TEST(test_synack_and_repetition),
	BENCH_TEST(test_request_and_response),
};

BENCH_MAIN_IN(tests, false)
