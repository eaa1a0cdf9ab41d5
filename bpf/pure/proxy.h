/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The header of the PROXY protocol, version 2, that stands in front of a connection's
 * bytes: PROXY, TCP, no additional records (HAProxy, doc/proxy-protocol.txt, 2.2).
 */
#pragma once

#include <weir/flow.h>

#include "pure/seam.h"

#define PROXY_WORDS_V4 7u
#define PROXY_WORDS_V6 13u

/* Bytes of the header for a client of that family. */
static inline u32 proxy_len(bool v6)
{
	return (v6 ? PROXY_WORDS_V6 : PROXY_WORDS_V4) * 4;
}

/* Writes the header for a connection of the client's, src to dst, into
 * w[PROXY_WORDS_V6], network order. */
static inline void proxy_write(u32 *w, const struct weir_tuple *t, bool v6)
{
	u32 ports = (u32)t->dport << 16 | t->sport, i;

	/* "\r\n\r\n\0\r\nQUIT\n", version 2 and PROXY, the family and TCP, the bytes
	 * that follow: words as a little-endian machine reads them */
	w[0] = 0x0a0d0a0d;
	w[1] = 0x510a0d00;
	w[2] = 0x0a544955;
	if (!v6) {
		w[3] = 0x0c001121;
		w[4] = t->src.w[3];
		w[5] = t->dst.w[3];
		w[6] = ports;
		return;
	}
	w[3] = 0x24002121;
	for (i = 0; i < 4; i++) {
		w[4 + i] = t->src.w[i];
		w[8 + i] = t->dst.w[i];
	}
	w[12] = ports;
}
