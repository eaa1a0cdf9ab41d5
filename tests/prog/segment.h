/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP segments as values: fields with defaults -> a whole Ethernet frame with
 * right checksums, and back. A test says what it wants as a segment; frames
 * are compared byte by byte.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX (14 + 65535)

enum {
	FIN = 0x01,
	SYN = 0x02,
	RST = 0x04,
	PSH = 0x08,
	ACK = 0x10,
	URG = 0x20,
	ECE = 0x40,
	CWR = 0x80,
};

/* Which of the two devices a frame travels on. */
enum side { CLIENT, ENDPOINT };

/* All numbers in host order. */
struct segment {
	enum side side;
	bool v6; /* addresses are those of SEGMENT_PREFIX that end like src and dst */
	uint8_t dmac[6], smac[6];
	uint32_t src, dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t win;
	uint16_t urgent;
	uint8_t opts[40];
	uint32_t opts_len; /* a multiple of 4 */
	const void *data;
	uint32_t len;
	uint16_t id, frag;
	uint8_t ttl, tos;
	uint8_t ip_opts[40];  /* IPv4 only, like id */
	uint32_t ip_opts_len; /* a multiple of 4 */
	uint8_t ext_first;    /* kind of the first IPv6 extension header */
	uint8_t ext[80];      /* all of them; the last one says 6 */
	uint32_t ext_len;     /* a multiple of 8 */
	uint16_t wrong;	      /* is added to the right TCP checksum */
	uint32_t trailer;     /* zero bytes behind the IP packet */
	uint16_t gso_size;    /* of a packet that stands for several */
};

/* fd00:77::/96 */
#define SEGMENT_PREFIX           \
	{                        \
		0xfd, 0, 0, 0x77 \
	}
void segment_address6(uint32_t ip, uint8_t out[16]);

/* Offset of the TCP header in the frame. */
uint32_t segment_l4(const struct segment *s);

/* Returns the bytes of the frame; `frame` has room for FRAME_MAX. */
size_t segment_build(const struct segment *s, uint8_t *frame);

/* Reads a TCP frame (IPv6 extension headers are not walked); s->data points into it. False when it is none. */
bool segment_parse(const uint8_t *frame, size_t len, struct segment *s);

/* What a TCP checksum over these bytes gives: 0 when it is right. */
uint16_t segment_checksum(const uint8_t *frame, size_t len);

/* One line for people. */
void segment_print(const char *what, const uint8_t *frame, size_t len);

/* Are the frames the same? If not, both are printed with what differs. */
bool segment_same(const uint8_t *want, size_t want_len, const uint8_t *got,
		  size_t got_len);

/* ---- options, appended with NOPs in front to a multiple of 4 ---- */

void opt_mss(struct segment *s, uint16_t mss);
void opt_wscale(struct segment *s, uint8_t shift);
void opt_sack_permitted(struct segment *s);
/* NOP NOP SACK and `count` pairs of edges */
void opt_sack(struct segment *s, uint32_t count, const uint32_t *edges);
void opt_timestamps(struct segment *s, uint32_t val, uint32_t ecr);
void opt_raw(struct segment *s, const void *bytes, uint32_t len);
