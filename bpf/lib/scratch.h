/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What one packet's run carries from step to step, one per CPU (a TC program
 * is not re-entered on its CPU), and how a step says what became of the packet.
 */
#pragma once

#include <linux/pkt_cls.h>

#include "lib/maps.h"
#include "pure/head.h"
#include "pure/proxy.h"
#include "pure/response.h"
#include "pure/tcpopt.h"
#include "pure/walk.h"

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

/* What is known of the packet at hand. Host order but for the tuple. */
struct pkt {
	struct weir_tuple t;
	u32 seq;
	u32 ack;
	u32 len; /* TCP payload bytes, from the IP length: padding is no payload */
	u16 win;
	u8 flags;   /* enum tcp_flag */
	u8 l4;	    /* offset of the TCP header */
	u8 hl;	    /* TCP header bytes */
	u8 v6;	    /* 1: IPv6, 0: IPv4 */
	u8 checked; /* 1: the checksum is known to be right */
	u8 pad;
};

/* A segment to be made in place of the packet at hand. */
struct out {
	struct weir_tuple t;
	struct weir_hop hop;
	u32 seq;
	u32 ack;
	u16 win;
	u8 flags;
	u8 opt_words;
	u32 opt[TCPOPT_SYN_WORDS];
	u32 len; /* payload bytes, already in the packet */
	u32 sum; /* their one's-complement sum */
};

/* An ICMP error and the packet that it quotes, as they came. */
struct icmp_error {
	u32 icmp[2];
	u32 ip[10];
	u32 tcp[2];
	u32 kind; /* enum icmp_kind */
	u32 off;  /* of the message in the packet */
	u32 bytes;
};

#define SUM_CHUNK 512u
/* emit_header(), icmp_emit() */
#define HEADER_ROOM 136

struct scratch {
	struct pkt p;
	struct weir_tuple client;  /* key of the flow at hand */
	struct weir_flow flow;	   /* a flow being made */
	struct weir_leg leg;	   /* a leg being made */
	struct bpf_fib_lookup fib; /* the way to the endpoint ... */
	int way;		   /* ... and what the lookup returned */
	struct out out;
	struct http_head h;
	struct route_match m;
	struct response_text text; /* of a response head */
	struct tcpopt_bytes opts;
	struct icmp_error icmp;
	u8 header[HEADER_ROOM];
	u32 proxy[PROXY_WORDS_V6];
	u32 stash;	/* head slot put aside, for STEP_TRIM */
	u32 feed_shift; /* the endpoint's window scale, for STEP_FEED */
	u8 chunk[SUM_CHUNK + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct scratch *scratch_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

/*
 * A verdict is an outcome and the TC action that goes with it. Negative means
 * that another step follows (enum step); the dispatcher in weir.bpf.c calls it.
 */
#define OUTCOME(outcome, action) ((int)(WEIR_##outcome) << 8 | ((action)&0xff))
#define DROP(outcome) OUTCOME(outcome, TC_ACT_SHOT)
#define PASS(outcome) OUTCOME(outcome, TC_ACT_UNSPEC)

/* What became of a segment of weir's own: `action` is that of a function that makes
 * and sends one, negative when it could not. */
static __always_inline int verdict_of(u32 outcome, int action)
{
	if (action < 0)
		return DROP(UNSENT);
	return (int)(outcome << 8) | (action & 0xff);
}

#define VERDICT(outcome, action) verdict_of(WEIR_##outcome, action)

enum step {
	STEP_SPLICE = -1,    /* send the packet on as the flow says */
	STEP_COLLECT = -2,   /* client bytes that weir has to read */
	STEP_ROUTE = -3,     /* a whole head is in the buffer */
	STEP_FORWARD = -4,   /* the request stays with its endpoint */
	STEP_CONNECT = -5,   /* the request needs an endpoint */
	STEP_REPLY = -6,     /* the flow's want_reply answers */
	STEP_RESEND = -7,    /* the kept head goes to the endpoint again */
	STEP_TRIM = -8,	     /* the part before the next head goes on */
	STEP_BODY = -12,     /* chunk framing has to be read */
	STEP_SYN = -9,	     /* answer with a cookie */
	STEP_FEED = -11,     /* splice, then send more of the kept head */
	STEP_AGAIN = -10,    /* finished flow: perhaps a new handshake's ACK */
	STEP_CLIENT = -13,   /* scratch.p is a client's packet, not simply spliced */
	STEP_ENDPOINT = -14, /* an endpoint's */
	STEP_ICMP = -15,     /* not TCP */
	STEP_MORE = -16,     /* more requests may stand behind those in the buffer */
	STEP_REPEAT = -18,   /* the reply again, or more of it */
	STEP_APPEND = -19,   /* bytes behind requests that are on their way */
	STEP_KEEP = -21,     /* bytes behind a request that cannot go on yet */
	STEP_POKE = -20,     /* splice, then have the client acknowledge */
	STEP_FIRST = -17,    /* the same, and the endpoint has accepted just now */
};

/* Tries to claim what another CPU is changing. That takes it a few microseconds at
 * most; afterwards the packet is dropped and sent again. */
#define CLAIM_TRIES 512

static __always_inline bool claim_try(u64 *claim)
{
	return !__sync_val_compare_and_swap(claim, 0, 1);
}

/* What was written under the claim is seen before it is free: so it is with every store
 * of x86; elsewhere an exchange sees to it (a store with release needs 6.15). */
static __always_inline void claim_give(u64 *claim)
{
#ifdef __TARGET_ARCH_x86
	barrier();
	*(volatile u64 *)claim = 0;
#else
	__sync_lock_test_and_set(claim, 0);
#endif
}

static __always_inline void count(u32 outcome)
{
	u64 *n = bpf_map_lookup_elem(&counters, &outcome);

	if (n)
		(*n)++;
}

/* An additional outcome of the same packet, next to its verdict's. */
#define COUNT(outcome) count(WEIR_##outcome)
