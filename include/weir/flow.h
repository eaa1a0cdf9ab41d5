/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Connections: the keys and values of the `flows`, `legs` and `heads` maps.
 *
 * A connection has a flow (client side, made when the handshake is finished)
 * and, once a request has been routed, a leg (endpoint side). Each carries
 * all that a packet in its direction needs, so that a spliced packet costs
 * one lookup. Ports and addresses are in network order, everything else in
 * host order. Sequence numbers are modulo 2^32 (RFC 9293, 3.4).
 */
#pragma once

#include <weir/limits.h>
#include <weir/types.h>

/* The four-tuple of a packet as it arrives: `src` sent it. */
struct weir_tuple {
	struct weir_addr src;
	struct weir_addr dst;
	__be16 sport;
	__be16 dport;
	u32 pad; /* 0: every byte of a key counts */
};

/* Where a packet leaves and the Ethernet header it gets. */
struct weir_hop {
	u8 dmac[6];
	u8 smac[6];
	u32 ifindex;
	u32 peer; /* 1: straight to the other end of that veth (bpf_redirect_peer()) */
};

enum weir_flow_state {
	WEIR_FLOW_HEAD = 1, /* reading a request head, no endpoint */
	WEIR_FLOW_CONNECT,  /* SYN sent to an endpoint */
	WEIR_FLOW_SPLICED,  /* endpoint connected */
	WEIR_FLOW_REPLIED,  /* closing reply sent, what still comes is drained */
	WEIR_FLOW_CLOSED,   /* over; kept so that late packets are answered */
};

/* weir_flow.flags */
#define WEIR_FLOW_SACK 0x0001u	     /* client may be sent SACK */
#define WEIR_FLOW_OPAQUE 0x0002u     /* request ends unknown: pinned to its endpoint */
#define WEIR_FLOW_FIN_CLIENT 0x0004u /* client has sent FIN (fin_seq) */
#define WEIR_FLOW_FIN_SERVER 0x0008u /* endpoint, or a reply of ours, has sent FIN */
#define WEIR_FLOW_DONE 0x0010u	     /* both FINs or a RST: the leg may be reused */
#define WEIR_FLOW_PARTIAL 0x0020u    /* spliced, and part of the next head is kept */
#define WEIR_FLOW_REQ_HEAD 0x0040u   /* current request is HEAD: replies have no body */
#define WEIR_FLOW_REQ_CLOSE 0x0080u  /* a reply to the current request closes */
#define WEIR_FLOW_REPLY 0x0100u	     /* reply_id is at reply_seq */
#define WEIR_FLOW_HELD 0x0200u	     /* a whole head waits for the end of the response
				      * before it; want_* says what then */

#define WEIR_FLOW_CHUNKED 0x0400u    /* chunk framing, not a head, is at next_req */
#define WEIR_FLOW_WATCHED 0x0800u    /* the event of its response is to come */
#define WEIR_FLOW_UPGRADE 0x1000u    /* current request asks for an upgrade */
#define WEIR_FLOW_WITHHELD 0x2000u   /* last byte of the request is not acknowledged until
				      * the client has all of the reply */
#define WEIR_FLOW_KEEPS_CLIENT 0x4000u /* its endpoint sees the client's address */
#define WEIR_FLOW_PROXY 0x8000u /* its leg begins with a PROXY header */
#define WEIR_FLOW_PENDING 0x10000u   /* spliced; [head_end, loaded_end) of the buffer are
				      * requests that could not go on with those before */

#define WEIR_NO_ID 0xffffffffu

/* flows: client tuple (src = client, dst = listener) -> flow */
struct weir_flow {
	u64 claim;	 /* 0, or held by the CPU that changes this flow */
	u64 seen_ns;	 /* last packet, CLOCK_MONOTONIC, refreshed about once a second */
	u32 seen_jiffies; /* when seen_ns was refreshed */
	u32 pad;
	u64 opened_ns;	 /* handshake finished */
	u8 state;	 /* enum weir_flow_state */
	u8 wscale;	 /* client's shift, WEIR_WSCALE_NONE without scaling */
	u16 mss;	 /* largest payload the client takes, rounded down */
	u32 flags;	 /* WEIR_FLOW_* */
	u16 pad2;
	u8 tries;	 /* endpoints tried for the current request */
	u8 win_shift;	 /* left shift of the client's window field for an endpoint
			  * without window scaling, else 0 */

	/* client -> endpoint, valid in WEIR_FLOW_SPLICED */
	u32 seq_add;	 /* endpoint seq = client seq + seq_add */
	u32 ack_add;	 /* endpoint ack = client ack + ack_add */
	struct weir_tuple leg; /* key of our leg: src = endpoint, dst = us */
	struct weir_hop to_endpoint;
	struct weir_hop to_client;

	/* requests, in client sequence numbers */
	u32 next_req;	 /* first byte of the next head, or of what we wait for */
	u32 head_seq;	 /* first byte in the head buffer */
	u32 head_end;	 /* behind the last byte in the head buffer that is of use */
	u32 loaded_end;	 /* behind the bytes that stand behind them, of later requests */
	u32 sent_end;	 /* behind the last byte sent from the buffer to the endpoint */
	u64 body_left;	 /* bytes of the body beyond next_req (bodies over 1 GiB) */
	u32 slot;	 /* head buffer that holds bytes, or WEIR_NO_SLOT */
	u32 spare;	 /* one that the flow keeps for its next head, or WEIR_NO_SLOT */
	u32 fin_seq;	 /* of the client's FIN */
	u32 isn;	 /* of our SYN to the endpoint */
	u32 first_seq;	 /* of the segment that finished the handshake */
	u32 first_ack;

	/* what the client has from us, in client's view of server numbers */
	u32 srv_nxt;	 /* next server byte of ours; in WEIR_FLOW_SPLICED, one that the
			  * client has acknowledged all before */
	u32 reply_seq;	 /* first byte of the last kernel-made reply */
	u32 reply_nxt;	 /* behind the last byte of it that has been sent */
	u16 reply_id;	 /* which reply was sent */
	u16 client_win;	 /* window field of the client's last packet here */
	u16 endpoint_mss; /* largest payload the endpoint takes */
	u16 chunk_step;	 /* enum chunk_step, with WEIR_FLOW_CHUNKED */
	u64 chunk_size;	 /* digits of a chunk-size so far */

	/* within the head buffer, for a reply that quotes the request */
	u16 host_off, host_len;
	u16 target_off, target_len;

	u32 route_id;	 /* of the current request, or WEIR_NO_ID */
	u32 group_id;	 /* of the endpoint in use */
	u32 endpoint_id;
	u32 want_group;	 /* where the request in the buffer goes, or WEIR_NO_ID */
	u32 want_reply;	 /* enum weir_reply_id that answers it when there is no group */
	u32 requests;	 /* requests read on this connection */
	u64 read_ns;	 /* when the last was, CLOCK_MONOTONIC; with WATCHED */
	u64 bytes_up;	 /* payload sent to endpoints */
	u64 counted_up;	 /* of them, in route_stats already */
	u32 tried[WEIR_CONNECT_TRIES]; /* endpoint ids, for the request in the buffer */
};

enum weir_leg_state {
	WEIR_LEG_CONNECT = 1, /* SYN sent */
	WEIR_LEG_SPLICED,     /* part of a flow */
	WEIR_LEG_ORPHAN,      /* FIN sent by us, flow moved on */
	WEIR_LEG_CLOSED,      /* over; port may be used again after a while */
};

/* weir_leg.flags */
#define WEIR_LEG_FIN_ENDPOINT 0x02u
#define WEIR_LEG_FIN_CLIENT 0x04u
#define WEIR_LEG_KEEPS_CLIENT 0x10u /* its endpoint sees the client's address */
#define WEIR_LEG_POKE 0x20u    /* a request waits for the client's ACK of all responses */

/* weir_leg.waits: what of the endpoint's is awaited, leg claimed */
#define WEIR_WAITS_ACK 0x01u	/* head buffer kept until ack reaches kept_ack */
#define WEIR_WAITS_GIVE 0x02u	/* with that: then somebody else may have the buffer */
#define WEIR_WAITS_ANSWER 0x04u /* request sent, first answer byte not seen */

/* A request that has been sent on and whose response has not begun. */
struct weir_asked {
	u32 route_id;
	u32 request;   /* its number on the connection */
	u32 asked_us;  /* when it was sent on: low bits of CLOCK_MONOTONIC in us */
	u32 waited_us; /* time between reading it and that, with ASKED_WATCHED */
	u32 flags;     /* WEIR_ASKED_* */
};

#define WEIR_ASKED_HEAD 0x1u	/* HEAD: its response has no body */
#define WEIR_ASKED_WATCHED 0x2u /* the event of its response is to come */
#define WEIR_ASKED_OPEN 0x4u	/* its response has begun and is not over */

enum weir_response_state {
	WEIR_RESPONSE_OVER,    /* ends at `next`, where another one may begin */
	WEIR_RESPONSE_HEAD,    /* bytes of a head are at `next` */
	WEIR_RESPONSE_INTERIM, /* 1xx: another head is at `next` */
	WEIR_RESPONSE_BODY,    /* `left` bytes of the body are beyond `next` */
	WEIR_RESPONSE_CHUNKS,  /* chunk framing is beyond `left` bytes behind `next` */
	WEIR_RESPONSE_FIN,     /* ends with the endpoint's FIN */
	WEIR_RESPONSE_TUNNEL,  /* 101: the connection is no longer HTTP */
	WEIR_RESPONSE_LOST,    /* not known: framing was overtaken or not understood */
};

/* States up to this one read what is at `next`. */
#define WEIR_RESPONSE_READ WEIR_RESPONSE_CHUNKS

/* weir_response.flags */
#define WEIR_RESPONSE_BODYLESS 0x1u /* answers HEAD */
#define WEIR_RESPONSE_LENGTH 0x2u   /* Content-Length has come: `left` */
#define WEIR_RESPONSE_CHUNKED 0x4u  /* Transfer-Encoding: chunked has come */
#define WEIR_RESPONSE_COUNT 0x10u   /* its head has come and is to be counted */
#define WEIR_RESPONSE_SKIP 0x8u	    /* the rest of the line at `next` is skipped */

/* Where an endpoint's response stands. */
struct weir_response {
	u64 left;
	u64 chunk_size; /* digits of a chunk-size so far */
	u64 bytes;	/* of this response, before `next` */
	u32 next;	/* endpoint's numbers */
	u16 status;	/* 0: the status line is to come */
	u8 state;	/* enum weir_response_state */
	u8 flags;	/* WEIR_RESPONSE_* */
	u16 chunk_step; /* enum chunk_step */
	u16 carried;	/* bytes in `carry` */
	u32 pad;
	u8 carry[WEIR_RESPONSE_CARRY]; /* start of a header line that was cut */
};

/*
 * legs: endpoint tuple (src = endpoint, dst = our address and port) -> leg
 *
 * A packet of the endpoint's leaves the flow alone: its lines are another CPU's, most
 * often. So what follows the responses is here, under a claim of the leg's own; who
 * holds both has taken the flow's first. Apart: what is only read, what the client's
 * packets write, what the endpoint's do.
 */
struct weir_leg {
	struct weir_tuple client; /* key of the flow */
	u8 state;	/* enum weir_leg_state; with `flags`, under the flow's claim */
	u8 flags;	/* WEIR_LEG_* */
	__s8 win_shift;	/* right shift of the endpoint's window field (left when
			 * negative) to mean the shift promised to the client */
	u8 pad;
	u32 seq_add;	/* client's view of seq = endpoint seq + seq_add */
	u32 ack_add;
	struct weir_hop to_client;
	u32 endpoint_id;
	u64 syn_ns;	/* CLOCK_MONOTONIC when our first SYN left */

	u32 kept_ack;	/* ack at which the head buffer may go */
	u32 fin_seq;	/* orphan: sequence number of our FIN */
	u32 route_id;	/* of the request sent last */
	u32 asked_end;	/* ring of requests without response: [asked_first, asked_end) */
	struct weir_asked asked[WEIR_ASKED_MAX];

	u64 claim;	/* 0, or held by the CPU that changes what is below */
	u64 seen_ns;
	u32 seen_jiffies;
	u32 seq_max;	/* behind the highest endpoint byte seen, endpoint's numbers */
	u32 ack_max;	/* highest ack of the endpoint, endpoint's numbers */
	u32 waits;	/* WEIR_WAITS_* */
	u64 bytes_down; /* payload spliced towards the client */
	u64 counted_down; /* of them, in route_stats already */
	u32 asked_first;
	u32 first_us;	/* when the response at hand began, as asked_us */
	struct weir_asked answer; /* what it answers */
	u32 pad_answer;
	struct weir_response response;
};

/* heads: slot -> bytes of a request head, as they go to the endpoint */
struct weir_head {
	u8 data[WEIR_HEAD_MAX + WEIR_HEAD_SLACK];
};
