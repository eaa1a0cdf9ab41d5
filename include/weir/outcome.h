/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every way a packet or a request can end. One list: the enumerator is the
 * return value in the kernel, the index of the counter and the field of the
 * event; the name and the text are what `weir stats` and bpftool show.
 *
 * X(ENUMERATOR, "name", "text")
 */
#pragma once

#define WEIR_OUTCOMES(X) \
	/* not ours */ \
	X(PASS_OTHER, "pass_other", "not for a listener or a flow, left to the stack") \
	X(PASS_FRAGMENT, "pass_fragment", "IP fragment, left to the stack") \
	X(PASS_VLAN, "pass_vlan", "VLAN tag, left to the stack and the VLAN's interface") \
	X(PASS_EXTENSION, "pass_extension", "IPv6 extension headers that are not walked, left to the stack") \
	X(PASS_MALFORMED, "pass_malformed", "headers that do not parse, left to the stack") \
	/* handshake */ \
	X(SYN_COOKIE, "syn_cookie", "SYN answered with a cookie") \
	X(SYN_BAD, "syn_bad", "SYN with FIN, RST or a signature option, dropped") \
	X(SYN_CHALLENGE, "syn_challenge", "SYN within a live connection, challenged") \
	X(COOKIE_OK, "cookie_ok", "handshake finished, flow made") \
	X(COOKIE_BAD, "cookie_bad", "no flow and no valid cookie, reset") \
	X(FLOW_FULL, "flow_full", "flow table full, connection reset") \
	/* head */ \
	X(HEAD_PARTIAL, "head_partial", "part of a request head kept and acknowledged") \
	X(HEAD_WAIT, "head_wait", "part of a request head repeated, acknowledged") \
	X(HEAD_GAP, "head_gap", "segment ahead of the expected byte, duplicate ACK sent") \
	X(HEAD_OLD, "head_old", "bytes already taken, acknowledged again") \
	X(HEAD_QUEUED, "head_queued", "bytes kept until the endpoint is connected") \
	X(HEAD_FULL, "head_full", "no room for early bytes, dropped for retransmission") \
	X(HEAD_CSUM, "head_csum", "wrong TCP checksum, dropped") \
	X(SLOTS_FULL, "slots_full", "no free head buffer, dropped for retransmission") \
	X(CONTENDED, "contended", "flow busy on another CPU, dropped for retransmission") \
	/* requests */ \
	X(REQ_ROUTED, "req_routed", "request matched a rule") \
	X(REQ_FALLBACK, "req_fallback", "request went to the default backend") \
	X(REQ_REPLY, "req_reply", "request answered by its rule in the kernel") \
	X(REQ_GATEWAY, "req_gateway", "request steered to the gateway") \
	X(REQ_NO_ROUTE, "req_no_route", "no rule and no default backend, 404") \
	X(REQ_NO_ENDPOINT, "req_no_endpoint", "no endpoint ready, 503") \
	X(REQ_NO_FAMILY, "req_no_family", "no endpoint of the client's family (IPv4, IPv6), 503") \
	X(REQ_UNHONOURED, "req_unhonoured", "the rule needs a gateway and there is none, 503") \
	X(REQ_BAD, "req_bad", "malformed or ambiguous request, 400") \
	X(REQ_TOO_LONG, "req_too_long", "request head over the limit, 431") \
	X(REQ_VERSION, "req_version", "not HTTP/1, 505") \
	X(REQ_PINNED, "req_pinned", "upgrade asked for, what follows waits for the answer") \
	X(REQ_HELD, "req_held", "request held until the earlier response is acknowledged") \
	X(REQ_QUEUED, "req_queued", "pipelined request kept until those before it are answered") \
	X(REQ_SPLIT, "req_split", "pipelined request behind a kernel-made reply, left for retransmission") \
	/* endpoints */ \
	X(CONNECT, "connect", "SYN sent to an endpoint") \
	X(CONNECT_AGAIN, "connect_again", "SYN to the endpoint repeated") \
	X(CONNECT_NEXT, "connect_next", "endpoint refused or was silent, another one tried") \
	X(CONNECT_REFUSED, "connect_refused", "every endpoint refused, 502") \
	X(CONNECT_TIMEOUT, "connect_timeout", "endpoint silent, 504") \
	X(CONNECT_STALE, "connect_stale", "stale answer to a SYN, reset") \
	X(EJECTED, "ejected", "endpoint failed again and again, left alone for a while") \
	X(ALL_EJECTED, "all_ejected", "no better endpoint, an ejected or unhealthy one used") \
	X(CONNECTED, "connected", "endpoint accepted, head sent on") \
	X(SWITCHED, "switched", "request moved the connection to another endpoint") \
	X(NO_PORT, "no_port", "no free source port towards the endpoint, 503") \
	X(CONNECT_UNREACHABLE, "connect_unreachable", "endpoint unreachable by ICMP, like a refusal") \
	X(KEEP_HAIRPIN, "keep_hairpin", "client on the endpoint's side or the node itself, its address is not kept") \
	X(KEEP_PORT, "keep_port", "client's own port in use towards the endpoint, another one taken") \
	X(KEEP_SILENT, "keep_silent", "endpoint silent to the client's address, which may have another way back") \
	X(NO_FIB, "no_fib", "no way to the endpoint, SYN dropped for retransmission") \
	/* splice */ \
	X(TO_ENDPOINT, "to_endpoint", "packet spliced to the endpoint") \
	X(TO_CLIENT, "to_client", "packet spliced to the client") \
	X(RESENT, "resent", "kept head bytes sent to the endpoint again") \
	X(SYNACK_AGAIN, "synack_again", "endpoint repeated its SYN-ACK, acknowledged") \
	X(ORPHAN, "orphan", "packet of an endpoint leg that is being closed") \
	X(ORPHAN_RST, "orphan_rst", "data on an endpoint leg that is closed, reset") \
	X(FLOW_GONE, "flow_gone", "endpoint packet without its client flow, reset") \
	/* ICMP errors about packets of connections */ \
	X(ICMP_TO_ENDPOINT, "icmp_to_endpoint", "packet too big for the client's path, endpoint told") \
	X(ICMP_TO_CLIENT, "icmp_to_client", "packet too big for the endpoint's path, client told") \
	X(ICMP_IGNORED, "icmp_ignored", "ICMP error that changes nothing, dropped") \
	X(ICMP_BAD, "icmp_bad", "ICMP error with a wrong checksum or sequence number, dropped") \
	/* kernel-made answers */ \
	X(REPLIED, "replied", "kernel-made reply sent") \
	X(REPLY_AGAIN, "reply_again", "kernel-made reply repeated") \
	X(REPLY_DRAIN, "reply_drain", "body behind a kernel-made reply thrown away") \
	X(CLOSE_ACKED, "close_acked", "FIN answered by the kernel") \
	X(PROBE_ACKED, "probe_acked", "ACK or probe answered or absorbed by the kernel") \
	X(POKED, "poked", "client asked for the ACK that a held request waits for") \
	X(RST_CLIENT, "rst_client", "client reset the connection") \
	X(RST_ENDPOINT, "rst_endpoint", "endpoint reset the connection") \
	X(RST_IGNORED, "rst_ignored", "RST outside the window, ignored") \
	X(FLAGS_BAD, "flags_bad", "TCP flags that make no sense, dropped") \
	/* our own trouble */ \
	X(NO_TABLE, "no_table", "no route table loaded, 503") \
	X(UNSENT, "unsent", "a segment of weir's own could not be made or sent, dropped") \
	X(ERROR, "error", "a helper failed, packet dropped")

#define WEIR_OUTCOME_ENUM(id, name, text) WEIR_##id,

enum weir_outcome {
	WEIR_OUTCOMES(WEIR_OUTCOME_ENUM) WEIR_OUTCOME_COUNT,
};

#undef WEIR_OUTCOME_ENUM
