/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Internet checksums (RFC 1071, RFC 1624). Sums are 32-bit one's-complement
 * accumulators of network-order words as they stand in memory.
 */
#pragma once

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/scratch.h"

static __always_inline u32 sum_add(u32 a, u32 b)
{
	a += b;
	return a + (a < b);
}

/* The sum of what stands for replacing `from` by `to`. */
static __always_inline u32 sum_diff(u32 to, u32 from)
{
	return sum_add(to, ~from);
}

static __always_inline u16 sum_fold(u32 s)
{
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return s;
}

/* skb->ip_summed, which __sk_buff does not show. */
enum summed {
	SUMMED_NONE = 0,
	SUMMED_UNNECESSARY = 1,
	SUMMED_COMPLETE = 2,
	SUMMED_PARTIAL = 3, /* the field holds the pseudo header's sum only */
	SUMMED_UNKNOWN = 4,
};

struct sk_buff {
	unsigned char ip_summed : 2;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *obj) __ksym __weak;

static __always_inline enum summed packet_summed(struct __sk_buff *skb)
{
	struct sk_buff *kskb;

	if (!has_cast_kfunc)
		return SUMMED_UNKNOWN;
	kskb = bpf_cast_to_kern_ctx(skb);
	return (enum summed)BPF_CORE_READ_BITFIELD(kskb, ip_summed);
}

/*
 * Without the kfunc: is the packet CHECKSUM_PARTIAL? With a zeroed field, a
 * replacement outside the pseudo header changes nothing only then. Leaves the
 * field at zero if `keep` is false.
 */
static __always_inline bool packet_is_partial(struct __sk_buff *skb, u32 check_off,
					      bool keep)
{
	enum summed s = packet_summed(skb);
	u16 before = 0, probe = 0;

	if (s != SUMMED_UNKNOWN)
		return s == SUMMED_PARTIAL;
	bpf_skb_load_bytes(skb, check_off, &before, 2);
	bpf_skb_store_bytes(skb, check_off, &probe, 2, 0);
	bpf_l4_csum_replace(skb, check_off, 0, 1, 2);
	bpf_skb_load_bytes(skb, check_off, &probe, 2);
	if (keep)
		bpf_skb_store_bytes(skb, check_off, &before, 2, 0);
	return probe == 0;
}

/* Add the whole words, `left` bytes at most one chunk, that stand at `at`:
 * bpf_csum_diff takes at most 512 bytes and whole words. */
static __always_inline u32 sum_words(const u8 *at, u32 left, u32 sum)
{
	u32 c = left > SUM_CHUNK ? SUM_CHUNK : left;

	pure_keep(c);
	c &= 0x3fc | SUM_CHUNK;
	if (!c || c > SUM_CHUNK)
		return sum;
	return bpf_csum_diff(NULL, 0, (__be32 *)at, c, sum);
}

/* Add the last n & 3 bytes of n, which begin the word `last`. */
static __always_inline u32 sum_tail(u32 last, u32 n, u32 sum)
{
	return sum_add(sum, last & ((1u << ((n & 3) * 8)) - 1));
}

/* Sum of n bytes at `off` of a head buffer, n up to 2048. */
static __always_inline u32 sum_head(const struct weir_head *b, u32 off, u32 n)
{
	u32 sum = 0, i;

	for (i = 0; i < 4; i++) {
		if ((n & ~3u) <= i * SUM_CHUNK)
			break;
		sum = sum_words(&b->data[(off + i * SUM_CHUNK) & WEIR_HEAD_MASK],
				n - i * SUM_CHUNK, sum);
	}
	if (n & 3)
		sum = sum_tail(*(u32 *)&b->data[(off + (n & ~3u)) & WEIR_HEAD_MASK], n,
			       sum);
	return sum;
}

struct sum_walk {
	struct __sk_buff *skb;
	struct scratch *s;
	u32 off;
	u32 left;
	u32 sum;
};

static long sum_chunk(u32 i, void *ctx)
{
	struct sum_walk *w = ctx;
	u32 n = w->left;

	if (n > SUM_CHUNK)
		n = SUM_CHUNK;
	if (!pure_range(&n, SUM_CHUNK))
		return 1;
	*(u32 *)&w->s->chunk[n & ~3u] = 0;
	if (bpf_skb_load_bytes(w->skb, w->off, w->s->chunk, n))
		return 1;
	w->off += n;
	w->left -= n;
	n = (n + 3) & ~3u;
	pure_keep(n);
	if (n > SUM_CHUNK)
		return 1;
	w->sum = bpf_csum_diff(NULL, 0, (__be32 *)w->s->chunk, n, w->sum);
	return 0;
}

/*
 * Is the TCP checksum of the packet right? Asked before weir takes bytes over,
 * since from then on they travel under a checksum of ours (RFC 9293, 3.1).
 * PARTIAL and UNNECESSARY need no look at the bytes.
 */
__noinline int packet_sum_ok(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct sum_walk w = {.skb = skb};
	enum summed summed;
	u32 i;

	if (!s)
		return 0;
	if (s->p.checked)
		return 1;
	summed = packet_summed(skb);
	if (summed == SUMMED_PARTIAL || summed == SUMMED_UNNECESSARY)
		return 1;
	if (summed == SUMMED_UNKNOWN && packet_is_partial(skb, s->p.l4 + 16, true))
		return 1;
	w.s = s;
	w.off = s->p.l4;
	w.left = s->p.hl + s->p.len;
	w.sum = bpf_htons(6) + bpf_htons(w.left);
	/* mapped IPv4 addresses: the 0xffff mark adds nothing to the sum */
	for (i = 0; i < 4; i++) {
		w.sum = sum_add(w.sum, s->p.t.src.w[i]);
		w.sum = sum_add(w.sum, s->p.t.dst.w[i]);
	}
	bpf_loop(WEIR_HEAD_MAX / SUM_CHUNK + 4, sum_chunk, &w, 0);
	return !w.left && sum_fold(w.sum) == 0xffff;
}
