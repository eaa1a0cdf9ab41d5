/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Fixed-width names that kernel and userspace share, and the one form in
 * which an address is kept: 16 bytes, IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2).
 */
#pragma once

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

/* An address, network order. IPv4 a.b.c.d is ::ffff:a.b.c.d. */
struct weir_addr {
	union {
		u8 b[16];
		__be32 w[4];
		__be64 d[2];
	};
};

/* The third word of an IPv4-mapped address as it stands in memory. */
#define WEIR_V4_MARK_BYTES { 0, 0, 0xff, 0xff }
