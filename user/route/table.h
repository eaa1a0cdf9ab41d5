/* SPDX-License-Identifier: BSD-2-Clause */
/* ir -> the flat route table that the kernel walks, and its checker. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "route/ir.h"

/* Compile into a fresh allocation, *out (caller frees), *size bytes, not
 * padded. Route and group ids are taken from the ir. Reply ids are
 * WEIR_REPLY_FIRST_FREE + ir_route.reply. */
int table_compile(const struct ir *ir, void **out, size_t *size, struct err *err);

/* Everything the walker relies on: magic, version, sizes, checksum, every
 * index within bounds. Returns 0, or -EINVAL and the sentence. */
int table_check(const void *blob, size_t size, struct err *err);

/* zlib's crc32 of what the header's crc32 covers. */
uint32_t table_checksum(const void *blob, size_t size);
