/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* TCP options: reading those of a SYN, writing those of ours, and finding SACK. */
#pragma once

#include <weir/limits.h>

#include "pure/seam.h"

#define TCPOPT_MAX 40

/* Options of a segment, padded so that a read behind the last byte is in bounds. */
struct tcpopt_bytes {
	u8 b[TCPOPT_MAX + 8];
};

struct tcpopt {
	u16 mss;	/* mss_default when absent */
	u8 wscale;	/* 0..14 (RFC 7323, 2.3), or WEIR_WSCALE_NONE */
	bool sack;	/* SACK permitted */
	bool signature; /* MD5 (RFC 2385) or TCP-AO (RFC 5925): cannot be spliced */
	u8 sack_off;	/* offset of the first SACK block's edge, 0: no blocks */
	u8 sack_edges;	/* edges, 4 bytes each */
};

/* Read `len` bytes of options (0..40). Never fails: what is malformed ends the
 * walk (RFC 9293, 3.1), what is unknown is passed over. */
PURE void tcpopt_read(const struct tcpopt_bytes *o, u32 len, u16 mss_default,
		      struct tcpopt *out);

/* Three words, network order: MSS, SACK permitted or padding, scale or padding. */
#define TCPOPT_SYN_WORDS 3
PURE void tcpopt_write_syn(u32 words[TCPOPT_SYN_WORDS], u16 mss, u8 wscale, bool sack);
