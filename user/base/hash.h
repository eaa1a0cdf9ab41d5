/* SPDX-License-Identifier: BSD-2-Clause */
/* A quick 64-bit hash for tables and for "has it changed". Not for anything
 * that an adversary gains from: inputs are manifests of the administrator. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *data, size_t len, uint64_t seed);
uint64_t hash64_str(const char *s, uint64_t seed); /* NULL differs from "" */
