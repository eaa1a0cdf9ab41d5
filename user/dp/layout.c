/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/layout.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <weir/config.h>

#include "base/hash.h"

/* Deeper than this no value is nested. */
#define DEPTH_MAX 16

static uint64_t mix(uint64_t h, uint64_t word)
{
	return hash64(&word, sizeof(word), h);
}

static uint64_t mix_type(uint64_t h, const struct btf *btf, uint32_t id, int depth);

static uint64_t mix_members(uint64_t h, const struct btf *btf, const struct btf_type *t,
			    int depth)
{
	const struct btf_member *m = btf_members(t);
	uint32_t i;

	for (i = 0; i < btf_vlen(t); i++) {
		h = hash64_str(btf__name_by_offset(btf, m[i].name_off), h);
		h = mix(h, btf_member_bit_offset(t, i));
		h = mix(h, btf_member_bitfield_size(t, i));
		h = mix_type(h, btf, m[i].type, depth + 1);
	}
	return h;
}

/* Names of types and typedefs do not count, names of members do: they are what the
 * bytes mean. */
static uint64_t mix_type(uint64_t h, const struct btf *btf, uint32_t id, int depth)
{
	int real = btf__resolve_type(btf, id);
	const struct btf_type *t = real < 0 ? NULL : btf__type_by_id(btf, real);

	if (!t || depth > DEPTH_MAX)
		return h;
	h = mix(h, btf_kind(t));
	if (btf_is_array(t)) {
		h = mix(h, btf_array(t)->nelems);
		return mix_type(h, btf, btf_array(t)->type, depth + 1);
	}
	h = mix(h, t->size);
	if (btf_is_int(t))
		return mix(h, btf_int_encoding(t));
	return btf_is_composite(t) ? mix_members(h, btf, t, depth) : h;
}

/* A hash may have any size, and the counters are made anew when outcomes are added
 * (is_too_small() in load.c). */
static bool size_counts(const struct bpf_map *map)
{
	return bpf_map__type(map) != BPF_MAP_TYPE_HASH &&
	       strncmp(bpf_map__name(map), "counter", 7) != 0;
}

uint64_t layout_of(const struct bpf_object *obj)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct bpf_map *map;
	uint64_t h = 0;

	bpf_object__for_each_map (map, obj) {
		if (bpf_map__is_internal(map))
			continue;
		h = hash64_str(bpf_map__name(map), h);
		h = mix(h, bpf_map__type(map));
		h = mix(h, bpf_map__key_size(map));
		h = mix(h, bpf_map__value_size(map));
		h = mix(h, size_counts(map) ? bpf_map__max_entries(map) : 0);
		h = mix_type(h, btf, bpf_map__btf_key_type_id(map), 0);
		h = mix_type(h, btf, bpf_map__btf_value_type_id(map), 0);
	}
	return h;
}

int layout_check(const struct weir_settings *s, uint64_t own, const char *pin,
		 struct err *err)
{
	if (s->abi == WEIR_ABI && s->layout == own)
		return 0;
	if (s->abi != WEIR_ABI)
		err_set(err, -ESTALE,
			"the data path under %s has layout %u, this weir has %u", pin,
			s->abi, WEIR_ABI);
	else
		err_set(err, -ESTALE,
			"the maps under %s have another layout than this weir's", pin);
	return err_hint(err, "weir run --replace puts a new data path in its place, "
			     "weir detach --all removes it; its connections end");
}
