/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection on the bench, seen by both of its ends. Numbers are absolute:
 *
 *	client's view	cseq: its next byte	cack: the next one it expects
 *	endpoint's view	eseq: its next byte	eack: the next one it expects
 *
 * Segments are made with the numbers of the moment; the functions that send
 * also move them on.
 */
#pragma once

#include "bench.h"

struct conn {
	uint16_t port; /* client's */
	uint32_t cseq, cack;
	uint16_t cwin; /* window field of its segments */
	/* what the client offers; conn_init() gives what Linux does */
	uint16_t mss;	/* 0: no option */
	uint8_t wscale; /* WEIR_WSCALE_NONE: no option */
	bool sack;

	uint32_t endpoint;
	uint32_t ours;	   /* address that it sees, SOURCE_IP or CLIENT_IP */
	uint16_t leg_port; /* and port */
	uint32_t eseq, eack;
	uint16_t ewin;
	uint16_t emss;
	uint8_t ewscale;
	bool esack;

	uint32_t head; /* the client's first byte of the request at hand */
	uint32_t up;   /* endpoint's number - client's, of a client byte */
	uint32_t down; /* endpoint's number - client's, of a server byte */
};

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define OK_RESPONSE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

void conn_init(struct conn *c, uint16_t port, uint32_t isn);

/* ---- segments ---- */

struct segment conn_syn(const struct conn *c);
struct segment from_client(const struct conn *c, uint8_t flags, const char *text);
struct segment from_endpoint(const struct conn *c, uint8_t flags, const char *text);
/* as weir makes them */
struct segment made_for_client(const struct conn *c, uint8_t flags, const char *text);
struct segment made_for_endpoint(const struct conn *c, uint8_t flags, const char *text);
/* what the splice makes of one */
struct segment at_endpoint(const struct conn *c, const struct segment *from_client);
struct segment at_client(const struct conn *c, const struct segment *from_endpoint);

/* ---- steps; each fails the test unless exactly the right frames come out ---- */

/* SYN, SYN-ACK, ACK */
#define conn_handshake(c) conn_handshake_at(c, __FILE__, __LINE__)
void conn_handshake_at(struct conn *c, const char *file, int line);

/* The SYN that has just come out towards an endpoint. */
#define conn_take_syn(c) conn_take_syn_at(c, __FILE__, __LINE__)
void conn_take_syn_at(struct conn *c, const char *file, int line);

/* A request in one segment, and the SYN that it leads to. */
#define conn_request(c, text) conn_request_at(c, text, __FILE__, __LINE__)
void conn_request_at(struct conn *c, const char *text, const char *file, int line);

/* The endpoint's SYN-ACK; no expectation. Numbers move on. */
void conn_synack(struct conn *c);

/* RST in the stead of the SYN-ACK. */
struct segment conn_refusal(const struct conn *c);

/* The SYN-ACK, and ACK with `head` in one segment. */
#define conn_accept(c, head) conn_accept_at(c, head, __FILE__, __LINE__)
void conn_accept_at(struct conn *c, const char *head, const char *file, int line);

/* All of these. */
#define conn_open(c, port, request) conn_open_at(c, port, request, __FILE__, __LINE__)
void conn_open_at(struct conn *c, uint16_t port, const char *request, const char *file,
		  int line);

/* A segment of the client's or the endpoint's, spliced. */
#define conn_up(c, flags, text) conn_up_at(c, flags, text, __FILE__, __LINE__)
void conn_up_at(struct conn *c, uint8_t flags, const char *text, const char *file,
		int line);
#define conn_down(c, flags, text) conn_down_at(c, flags, text, __FILE__, __LINE__)
void conn_down_at(struct conn *c, uint8_t flags, const char *text, const char *file,
		  int line);

/* The endpoint acknowledges all and answers, the client acknowledges. */
#define conn_respond(c, text) conn_respond_at(c, text, __FILE__, __LINE__)
void conn_respond_at(struct conn *c, const char *text, const char *file, int line);

/* A kernel-made reply to the client that acknowledges all of cseq. */
struct segment conn_reply(const struct conn *c, uint32_t id, bool close,
			  bool head_only);

/* A connection to group A that has had its answer. */
void conn_open_idle(struct conn *c);

/* The request that follows, with another head than the last. */
struct segment conn_next(struct conn *c, const char *text);

/* The old leg's FIN, from the numbers that both ends agree on. */
void conn_expect_leave(const struct conn *old);

/* The byte that the client has had before `acked`: its ACK is wanted. */
void conn_expect_poke(const struct conn *c, uint32_t acked);

/* A response goes to the client, whose ACK is asked for; with that ACK what waits in the
 * buffer goes on. The client has sent all before `end`. */
void conn_answered(struct conn *c, const char *response, uint32_t end);
/* The same, and what waits begins at `head` and goes to another endpoint. */
void conn_answered_and_moved(struct conn *c, const char *response, uint32_t head,
			     uint32_t end);

/* A request that moves the connection to another endpoint. */
void conn_switch(struct conn *c, const char *text);
