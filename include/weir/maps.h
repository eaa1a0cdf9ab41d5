/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps by name: how they are called in the object, under PIN/maps and in
 * `bpftool map`. The route table is explained in table.h.
 *
 * flows        hash   weir_tuple -> weir_flow
 * legs         hash   weir_tuple -> weir_leg
 * heads        array  slot -> weir_head
 * head_free    stack  free slots (u32)
 * listen_ports array  1024 words of 64 bits: ports (host order) with a listener
 * listeners    hash   weir_listener_key -> weir_listener
 * endpoints    hash   u32 endpoint id -> weir_endpoint
 * groups       hash   u32 group id -> weir_group
 * endpoint_health hash u32 endpoint id -> weir_health
 * routes       hash   u32 route id -> weir_route
 * route_stats  hash   u32 route id -> weir_route_stats
 * endpoint_stats hash u32 endpoint id -> weir_endpoint_stats
 * replies      array  u32 reply id -> weir_reply
 * settings     array  0 -> weir_settings
 * cookie_keys  array  0 -> weir_cookie_keys
 * counters     percpu array  enum weir_outcome -> u64
 * counter_names array  enum weir_outcome -> weir_counter_name
 * events       ring buffer of weir_event_request and weir_event_response
 * monitor      array  0 -> weir_monitor: which requests are written there
 * attachments  hash   u32 ifindex -> weir_attachment
 * table        array of maps, 1 slot: the route table in use
 */
#pragma once

#define WEIR_PROG_NAME "weir_tc"
#define WEIR_DEFAULT_PIN "/sys/fs/bpf/weir"
