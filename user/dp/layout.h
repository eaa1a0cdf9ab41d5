/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of the maps: kind, key and value of each, down to the members of
 * structures as BTF has them, and the number of entries where a program counts on
 * it. Maps of one layout are never used with a program of another.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct bpf_object;
struct weir_settings;

/* Of the maps that the embedded program brings. */
uint64_t layout_of(const struct bpf_object *obj);

/* Are the settings those of a data path of this layout? -ESTALE and the sentence
 * when not. */
int layout_check(const struct weir_settings *s, uint64_t own, const char *pin,
		 struct err *err);
