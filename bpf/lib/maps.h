/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * All maps and knobs of the data path, and nothing else. What each holds is
 * said in include/weir/{maps,flow,config}.h. Sizes are defaults: the loader
 * may change them before load.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <weir/config.h>
#include <weir/event.h>
#include <weir/flow.h>
#include <weir/outcome.h>
#include <weir/reply.h>
#include <weir/stats.h>

/* Knobs, set between open and load so that the verifier drops dead branches. */

/* Bytes of the route table's map value minus one (a power of two minus one). */
const volatile u32 table_mask = WEIR_TABLE_MIN - 1;
/* bpf_cast_to_kern_ctx exists (6.2): ip_summed is read directly. */
const volatile u8 has_cast_kfunc = 1;
/* Head slots below this one may stay with a flow. */
const volatile u32 slots_stay = WEIR_SLOTS_STAY;
/* Key of the sequence numbers towards endpoints (RFC 6528). */
const volatile u64 isn_key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_FLOWS);
	__type(key, struct weir_tuple);
	__type(value, struct weir_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_FLOWS);
	__type(key, struct weir_tuple);
	__type(value, struct weir_leg);
} legs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WEIR_HEAD_SLOTS);
	__type(key, u32);
	__type(value, struct weir_head);
} heads SEC(".maps");

/* Free head slots. A stack, so that warm buffers are used again. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, WEIR_HEAD_SLOTS);
	__type(value, u32);
} head_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u64);
} listen_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_LISTENERS);
	__type(key, struct weir_listener_key);
	__type(value, struct weir_listener);
} listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_endpoint);
} endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_health);
} endpoint_health SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_GROUPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_group);
} groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_ROUTES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_route);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_ROUTES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_route_stats);
} route_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_endpoint_stats);
} endpoint_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WEIR_MAX_REPLIES);
	__type(key, u32);
	__type(value, struct weir_reply);
} replies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct weir_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct weir_cookie_keys);
} cookie_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_OUTCOME_COUNT);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WEIR_OUTCOME_COUNT);
	__type(key, u32);
	__type(value, struct weir_counter_name);
} counter_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WEIR_EVENT_BYTES);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct weir_monitor);
} monitor SEC(".maps");

/* Kept with the other maps, so that detaching needs no memory of the process that
 * attached; the kernel asks it how packets may leave. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_MAX_INTERFACES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct weir_attachment);
} attachments SEC(".maps");

/* The route table in use: slot 0. The inner map is one value whose size the
 * loader sets to table_mask + 1; a packet sees one generation or the other. */
struct table_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, WEIR_TABLE_MIN);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct table_inner);
} table SEC(".maps");
