/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as text: "10.0.0.1:80", "[2001:db8::1]:80". */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <weir/limits.h>
#include <weir/types.h>

bool addr_is_v4(const struct weir_addr *a);
bool addr_is_unspecified(const struct weir_addr *a);
void addr_from_v4(__be32 v4, struct weir_addr *out);

/* One address without a port; brackets around IPv6 are allowed. 0 or -EINVAL. */
int addr_parse(const char *text, struct weir_addr *out);

/* "ADDR" or "ADDR/BITS"; *bits counts in the 128 of the address. 0 or -EINVAL. */
int addr_parse_prefix(const char *text, struct weir_addr *out, unsigned int *bits);
bool addr_has_prefix(const struct weir_addr *a, const struct weir_addr *prefix,
		     unsigned int bits);

/* "ADDR:PORT"; port in host order, 1..65535. 0 or -EINVAL. */
int addr_parse_port(const char *text, struct weir_addr *out, uint16_t *port);

/* Into buf[WEIR_ADDR_TEXT]; returns buf. */
const char *addr_format(const struct weir_addr *a, char *buf);
const char *addr_format_port(const struct weir_addr *a, uint16_t port, char *buf);

/* As a socket address of its own family; returns the length. */
socklen_t addr_to_sockaddr(const struct weir_addr *a, uint16_t port,
			   struct sockaddr_storage *out);
int addr_from_sockaddr(const struct sockaddr *sa, struct weir_addr *out);
