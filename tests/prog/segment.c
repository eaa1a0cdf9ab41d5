// SPDX-License-Identifier: BSD-2-Clause
#include "segment.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ETH 14

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071, written the plain way: not the way of the code under test. */
static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2) {
		sum += get16(p + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

void segment_address6(uint32_t ip, uint8_t out[16])
{
	static const uint8_t prefix[16] = SEGMENT_PREFIX;

	memcpy(out, prefix, 12);
	put32(out + 12, ip);
}

static bool is_v6(const uint8_t *ip)
{
	return ip[0] >> 4 == 6;
}

/* Bytes in front of TCP, when there are no extension headers. */
static uint32_t ip_len(const uint8_t *ip)
{
	return is_v6(ip) ? 40 : (ip[0] & 15) * 4;
}

static uint16_t tcp_sum(const uint8_t *ip, const uint8_t *tcp, size_t tcp_len)
{
	uint32_t sum = is_v6(ip) ? sum16(6 + (uint32_t)tcp_len, ip + 8, 32)
				 : sum16(6 + (uint32_t)tcp_len, ip + 12, 8);

	sum = sum16(sum, tcp, tcp_len);
	return ~((sum & 0xffff) + (sum >> 16));
}

uint32_t segment_l4(const struct segment *s)
{
	if (!s->v6)
		return ETH + 20 + s->ip_opts_len;
	return ETH + 40 + s->ext_len + (s->frag & 0x3fff ? 8 : 0);
}

static void build_ip4(const struct segment *s, uint8_t *ip, size_t total)
{
	uint32_t ihl = 20 + s->ip_opts_len;

	ip[0] = 0x40 | ihl / 4;
	ip[1] = s->tos;
	put16(ip + 2, total);
	put16(ip + 4, s->id);
	put16(ip + 6, s->frag);
	ip[8] = s->ttl;
	ip[9] = 6;
	put32(ip + 12, s->src);
	put32(ip + 16, s->dst);
	memcpy(ip + 20, s->ip_opts, s->ip_opts_len);
	put16(ip + 10, ~sum16(0, ip, ihl));
}

static void build_ip6(const struct segment *s, uint8_t *ip, size_t total)
{
	put32(ip, 0x60000000 | (uint32_t)s->tos << 20);
	put16(ip + 4, total - 40);
	ip[6] = s->ext_len ? s->ext_first : 6;
	ip[7] = s->ttl;
	segment_address6(s->src, ip + 8);
	segment_address6(s->dst, ip + 24);
	memcpy(ip + 40, s->ext, s->ext_len);
	if (s->frag & 0x3fff) {
		ip[6] = 44;
		ip[40] = 6;
		put16(ip + 42, (s->frag & 0x1fff) << 3 | !!(s->frag & 0x2000));
	}
}

size_t segment_build(const struct segment *s, uint8_t *f)
{
	uint32_t l4 = segment_l4(s), hl = 20 + s->opts_len;
	size_t total = l4 - ETH + hl + s->len;
	uint8_t *ip = f + ETH, *tcp = f + l4;
	uint32_t check;

	memset(f, 0, ETH + total + s->trailer);
	memcpy(f, s->dmac, 6);
	memcpy(f + 6, s->smac, 6);
	put16(f + 12, s->v6 ? 0x86dd : 0x0800);
	if (s->v6)
		build_ip6(s, ip, total);
	else
		build_ip4(s, ip, total);

	put16(tcp, s->sport);
	put16(tcp + 2, s->dport);
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = hl / 4 << 4;
	tcp[13] = s->flags;
	put16(tcp + 14, s->win);
	put16(tcp + 18, s->urgent);
	memcpy(tcp + 20, s->opts, s->opts_len);
	if (s->len)
		memcpy(tcp + hl, s->data, s->len);
	check = tcp_sum(ip, tcp, hl + s->len) + s->wrong;
	put16(tcp + 16, (check & 0xffff) + (check >> 16));
	return ETH + total + s->trailer;
}

static void parse_ip4(const uint8_t *ip, struct segment *s)
{
	s->tos = ip[1];
	s->id = get16(ip + 4);
	s->frag = get16(ip + 6);
	s->ttl = ip[8];
	s->src = get32(ip + 12);
	s->dst = get32(ip + 16);
	s->ip_opts_len = ip_len(ip) - 20;
	memcpy(s->ip_opts, ip + 20, s->ip_opts_len);
}

static void parse_ip6(const uint8_t *ip, struct segment *s)
{
	s->v6 = true;
	s->tos = get16(ip) >> 4;
	s->frag = 0x4000;
	s->ttl = ip[7];
	s->src = get32(ip + 20);
	s->dst = get32(ip + 36);
}

static size_t ip_total(const uint8_t *ip)
{
	return is_v6(ip) ? 40 + get16(ip + 4) : get16(ip + 2);
}

bool segment_parse(const uint8_t *f, size_t len, struct segment *s)
{
	const uint8_t *ip = f + ETH, *tcp;
	size_t ihl, hl, total;

	memset(s, 0, sizeof(*s));
	if (len < ETH + 40 || get16(f + 12) != (is_v6(ip) ? 0x86dd : 0x0800) ||
	    ip[is_v6(ip) ? 6 : 9] != 6)
		return false;
	ihl = ip_len(ip);
	total = ip_total(ip);
	tcp = ip + ihl;
	if (ihl < 20 || total > len - ETH || total < ihl + 20)
		return false;
	hl = (tcp[12] >> 4) * 4;
	if (hl < 20 || total < ihl + hl)
		return false;
	memcpy(s->dmac, f, 6);
	memcpy(s->smac, f + 6, 6);
	if (is_v6(ip))
		parse_ip6(ip, s);
	else
		parse_ip4(ip, s);
	s->sport = get16(tcp);
	s->dport = get16(tcp + 2);
	s->seq = get32(tcp + 4);
	s->ack = get32(tcp + 8);
	s->flags = tcp[13];
	s->win = get16(tcp + 14);
	s->urgent = get16(tcp + 18);
	s->opts_len = hl - 20;
	memcpy(s->opts, tcp + 20, s->opts_len);
	s->data = tcp + hl;
	s->len = total - ihl - hl;
	s->trailer = len - ETH - total;
	return true;
}

uint16_t segment_checksum(const uint8_t *f, size_t len)
{
	const uint8_t *ip = f + ETH;

	return tcp_sum(ip, ip + ip_len(ip), ip_total(ip) - ip_len(ip));
}

static void print_flags(uint8_t flags)
{
	static const char names[] = "FSRPAUEC";
	int i;

	for (i = 0; i < 8; i++)
		if (flags >> i & 1)
			fputc(names[i], stderr);
}

void segment_print(const char *what, const uint8_t *frame, size_t len)
{
	const uint8_t *data;
	struct segment s;
	uint32_t i;

	if (!segment_parse(frame, len, &s)) {
		fprintf(stderr, "%s: %zu bytes, not TCP\n", what, len);
		return;
	}
	fprintf(stderr, "%s: %u.%u.%u.%u:%u > %u.%u.%u.%u:%u ", what, s.src >> 24,
		s.src >> 16 & 255, s.src >> 8 & 255, s.src & 255, s.sport, s.dst >> 24,
		s.dst >> 16 & 255, s.dst >> 8 & 255, s.dst & 255, s.dport);
	print_flags(s.flags);
	fprintf(stderr, " seq %u ack %u win %u check %s", s.seq, s.ack, s.win,
		segment_checksum(frame, len) ? "WRONG" : "right");
	if (s.opts_len)
		fputs(" opts", stderr);
	for (i = 0; i < s.opts_len; i++)
		fprintf(stderr, " %02x", s.opts[i]);
	fprintf(stderr, " mac ..%02x > ..%02x id %u ttl %u len %u \"", s.smac[5],
		s.dmac[5], s.id, s.ttl, s.len);
	data = s.data;
	for (i = 0; i < s.len && i < 120; i++)
		fprintf(stderr, data[i] >= ' ' && data[i] < 0x7f ? "%c" : "\\x%02x",
			data[i]);
	fputs(s.len > i ? "...\"\n" : "\"\n", stderr);
}

/* The name of the field at a byte of a frame. */
static const char *field_at(const uint8_t *f, size_t off)
{
	static const struct {
		uint32_t end;
		const char *name;
	} ip[] = {{1, "ip.ihl"},  {2, "ip.tos"},  {4, "ip.len"},    {6, "ip.id"},
		  {8, "ip.frag"}, {9, "ip.ttl"},  {10, "ip.proto"}, {12, "ip.check"},
		  {16, "ip.src"}, {20, "ip.dst"}, {60, "ip.opts"}},
	  ip6[] = {{4, "ip6.class"}, {6, "ip6.len"},  {7, "ip6.next"},
		   {8, "ip6.limit"}, {24, "ip6.src"}, {40, "ip6.dst"}},
	  tcp[] = {{2, "tcp.sport"}, {4, "tcp.dport"},	{8, "tcp.seq"},
		   {12, "tcp.ack"},  {13, "tcp.doff"},	{14, "tcp.flags"},
		   {16, "tcp.win"},  {18, "tcp.check"}, {20, "tcp.urgent"},
		   {60, "tcp.opts"}};
	size_t ihl = ip_len(f + ETH), hl, i;

	if (off < ETH)
		return off < 6 ? "dmac" : off < 12 ? "smac" : "ethertype";
	off -= ETH;
	if (off < ihl && is_v6(f + ETH)) {
		for (i = 0; off >= ip6[i].end; i++)
			;
		return ip6[i].name;
	}
	if (off < ihl) {
		for (i = 0; off >= ip[i].end; i++)
			;
		return ip[i].name;
	}
	hl = (f[ETH + ihl + 12] >> 4) * 4;
	off -= ihl;
	if (off >= hl)
		return "payload";
	for (i = 0; off >= tcp[i].end; i++)
		;
	return tcp[i].name;
}

bool segment_same(const uint8_t *want, size_t want_len, const uint8_t *got,
		  size_t got_len)
{
	const char *last = "", *name;
	size_t i;

	if (want_len == got_len && !memcmp(want, got, got_len))
		return true;
	segment_print("want", want, want_len);
	segment_print("got ", got, got_len);
	fputs("differ:", stderr);
	for (i = 0; i < want_len && i < got_len; i++) {
		if (want[i] == got[i])
			continue;
		name = field_at(want, i);
		if (name != last)
			fprintf(stderr, " %s@%zu", name, i);
		last = name;
	}
	if (want_len != got_len)
		fprintf(stderr, " length %zu, got %zu", want_len, got_len);
	fputc('\n', stderr);
	return false;
}

void opt_raw(struct segment *s, const void *bytes, uint32_t len)
{
	memcpy(s->opts + s->opts_len, bytes, len);
	s->opts_len += len;
}

void opt_mss(struct segment *s, uint16_t mss)
{
	uint8_t b[4] = {2, 4, mss >> 8, mss};

	opt_raw(s, b, 4);
}

void opt_wscale(struct segment *s, uint8_t shift)
{
	uint8_t b[4] = {1, 3, 3, shift};

	opt_raw(s, b, 4);
}

void opt_sack_permitted(struct segment *s)
{
	static const uint8_t b[4] = {1, 1, 4, 2};

	opt_raw(s, b, 4);
}

void opt_sack(struct segment *s, uint32_t count, const uint32_t *edges)
{
	uint8_t b[4 + 8 * 4] = {1, 1, 5, 2 + count * 8};
	uint32_t i;

	for (i = 0; i < count * 2; i++)
		put32(b + 4 + i * 4, edges[i]);
	opt_raw(s, b, 4 + count * 8);
}

void opt_timestamps(struct segment *s, uint32_t val, uint32_t ecr)
{
	uint8_t b[12] = {1, 1, 8, 10};

	put32(b + 4, val);
	put32(b + 8, ecr);
	opt_raw(s, b, 12);
}
