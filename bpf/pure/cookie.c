/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "pure/cookie.h"

/* Rounded down to one of these, never up. 1428 and 1448 are what Ethernet
 * leaves without timestamps when room for them is kept, 8948 the same with
 * jumbo frames; 64 stands for anything below 536. */
static u16 cookie_mss(u32 class)
{
	switch (class & 7) {
	case 0:
		return 64;
	case 1:
		return 536;
	case 2:
		return 1220;
	case 3:
		return 1300;
	case 4:
		return 1380;
	case 5:
		return 1428;
	case 6:
		return 1448;
	}
	return 8948;
}

static u32 cookie_mss_class(u32 mss)
{
	return mss >= 8948   ? 7
	       : mss >= 1448 ? 6
	       : mss >= 1428 ? 5
	       : mss >= 1380 ? 4
	       : mss >= 1300 ? 3
	       : mss >= 1220 ? 2
	       : mss >= 536  ? 1
			     : 0;
}

static inline u64 rotl(u64 x, int b)
{
	return (x << b) | (x >> (64 - b));
}

struct sip {
	u64 v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, u64 w)
{
	s->v3 ^= w;
	sip_round(s);
	sip_round(s);
	s->v0 ^= w;
}

/* SipHash-2-4 of whole 64-bit words in memory order (Aumasson, Bernstein 2012). */
PURE u64 siphash(const u64 key[2], const u64 *words, u32 count)
{
	struct sip s = {
		.v0 = 0x736f6d6570736575ULL ^ key[0],
		.v1 = 0x646f72616e646f6dULL ^ key[1],
		.v2 = 0x6c7967656e657261ULL ^ key[0],
		.v3 = 0x7465646279746573ULL ^ key[1],
	};
	u32 i;

	for (i = 0; i < count; i++)
		sip_word(&s, words[i]);
	sip_word(&s, (u64)count << 59);
	s.v2 ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The 24 mac bits of a cookie, in place (bits 31..8). */
static u32 cookie_mac(const u64 key[2], const struct weir_tuple *t, u32 isn, u64 slot,
		      u32 opts)
{
	u64 w[6] = {
		t->src.d[0],
		t->src.d[1],
		t->dst.d[0],
		t->dst.d[1],
		(u64)t->sport << 16 | t->dport,
		slot << 8 | opts,
	};
	u64 h = siphash(key, w, 6);
	u64 bound[1] = {h ^ isn};

	return (u32)(h << 20) | ((u32)siphash(key, bound, 1) & 0xfff) << 8;
}

static u32 cookie_seal(u32 mac, u32 opts)
{
	return mac | (opts ^ mac >> 24);
}

PURE u32 cookie_make(const struct weir_cookie_keys *keys, const struct weir_tuple *t,
		     u32 isn, u64 now_ns, const struct cookie_opts *o)
{
	u32 opts = (u32)(o->wscale & 15) << 4 | cookie_mss_class(o->mss) << 1 | o->sack;

	return cookie_seal(
		cookie_mac(keys->now, t, isn, now_ns >> COOKIE_SLOT_SHIFT, opts), opts);
}

PURE enum cookie_result cookie_check(const struct weir_cookie_keys *keys,
				     const struct weir_tuple *t, u32 isn, u32 cookie,
				     u64 now_ns, struct cookie_opts *o)
{
	u32 opts = (cookie ^ cookie >> 24) & 0xff;
	enum cookie_result best = COOKIE_INVALID;
	u32 i;

	o->wscale = opts >> 4;
	o->mss = cookie_mss(opts >> 1);
	o->sack = opts & 1;
	for (i = 0; i < 4; i++) {
		u64 slot = (now_ns >> COOKIE_SLOT_SHIFT) - (i & 1);
		u64 key[2] = {i < 2 ? keys->now[0] : keys->before[0],
			      i < 2 ? keys->now[1] : keys->before[1]};
		u32 diff = cookie_mac(key, t, isn, slot, opts) ^ (cookie & ~0xffu);

		if (!diff)
			return COOKIE_VALID;
		if (!(diff >> 20))
			best = COOKIE_EARLY;
	}
	return best;
}
