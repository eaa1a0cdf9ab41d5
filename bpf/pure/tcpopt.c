/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "pure/tcpopt.h"

#ifdef __bpf__
#include <bpf/bpf_endian.h>
#define tcpopt_be32(x) bpf_htonl(x)
#else
#include <arpa/inet.h>
#define tcpopt_be32(x) htonl(x)
#endif

enum {
	OPT_EOL = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_PERMITTED = 4,
	OPT_SACK = 5,
	OPT_MD5 = 19,
	OPT_AO = 29,
};

struct tcpopt_walk {
	const struct tcpopt_bytes *o;
	struct tcpopt *out;
	u32 off;
	u32 len;
};

/* One option. A callback, since a plain loop over these branches exceeds the
 * verifier's budget (seen on 6.18). */
static long tcpopt_step(u32 i, void *ctx)
{
	struct tcpopt_walk *w = ctx;
	struct tcpopt *out = w->out;
	u32 off = w->off;
	u32 kind, size;

	pure_keep(off);
	if (off >= w->len || off >= TCPOPT_MAX)
		return 1;
	kind = w->o->b[off];
	if (kind == OPT_EOL)
		return 1;
	if (kind == OPT_NOP) {
		w->off = off + 1;
		return 0;
	}
	size = w->o->b[off + 1];
	if (size < 2 || off + size > w->len)
		return 1;
	w->off = off + size;

	if (kind == OPT_MSS && size == 4) {
		out->mss = (u16)w->o->b[off + 2] << 8 | w->o->b[off + 3];
	} else if (kind == OPT_WSCALE && size == 3) {
		u8 shift = w->o->b[off + 2];

		out->wscale = shift > 14 ? 14 : shift;
	} else if (kind == OPT_SACK_PERMITTED && size == 2) {
		out->sack = true;
	} else if (kind == OPT_SACK && size >= 10 && !((size - 2) & 7)) {
		out->sack_off = off + 2;
		out->sack_edges = (size - 2) / 4;
	} else if (kind == OPT_MD5 || kind == OPT_AO) {
		out->signature = true;
	}
	return 0;
}

PURE void tcpopt_read(const struct tcpopt_bytes *o, u32 len, u16 mss_default,
		      struct tcpopt *out)
{
	struct tcpopt_walk w = {.o = o, .out = out, .len = len};

	__builtin_memset(out, 0, sizeof(*out));
	out->mss = mss_default;
	out->wscale = WEIR_WSCALE_NONE;
	pure_loop(TCPOPT_MAX, tcpopt_step, &w);
}

PURE void tcpopt_write_syn(u32 words[TCPOPT_SYN_WORDS], u16 mss, u8 wscale, bool sack)
{
	words[0] = tcpopt_be32(2u << 24 | 4u << 16 | mss);
	words[1] = tcpopt_be32(sack ? 0x01010402 : 0x01010101);
	words[2] = tcpopt_be32(wscale == WEIR_WSCALE_NONE ? 0x01010101
							  : 0x01030300 | wscale);
}
