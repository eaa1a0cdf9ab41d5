/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/mem.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/ports.h"

#define PORT_WORDS 1024u

static const char *const proto_names[] = {
	[WEIR_LISTEN_HTTP] = "http",
	[WEIR_LISTEN_TLS] = "tls",
};

/* ---- parsing ---- */

static int push(struct listeners *out, struct listener_want want)
{
	struct listener_want *slot = vec_push(out);

	if (!slot)
		return -ENOMEM;
	*slot = want;
	return 0;
}

static bool is_among(const char *name, const char *const *ifaces, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(ifaces[i], name))
			return true;
	return false;
}

static bool is_link_local(const struct weir_addr *a)
{
	return !addr_is_v4(a) && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* Every address of the interfaces; link-local ones would need a scope. */
static int expand(const struct listener_want *want, bool v4, bool v6,
		  const char *const *ifaces, size_t count, struct listeners *out)
{
	struct ifaddrs *all, *a;
	int r = 0;

	if (getifaddrs(&all))
		return -errno;
	for (a = all; !r && a; a = a->ifa_next) {
		struct listener_want one = *want;

		if (!a->ifa_addr || !is_among(a->ifa_name, ifaces, count) ||
		    addr_from_sockaddr(a->ifa_addr, &one.addr) ||
		    is_link_local(&one.addr))
			continue;
		if (addr_is_v4(&one.addr) ? v4 : v6)
			r = push(out, one);
	}
	freeifaddrs(all);
	return r;
}

int listeners_parse(const char *text, const char *const *ifaces, size_t count,
		    struct listeners *out, struct err *err)
{
	struct listener_want want = {.proto = WEIR_LISTEN_HTTP};
	const char *slash = strchrnul(text, '/');
	bool any = text[0] == ':';
	size_t before = out->len;
	char buf[96];
	int r;

	snprintf(buf, sizeof(buf), "%s%.*s", any ? "0.0.0.0" : "", (int)(slash - text),
		 text);
	if (addr_parse_port(buf, &want.addr, &want.port)) {
		err_set(err, -EINVAL, "not a listener: %s", text);
		return err_hint(err, "ADDR:PORT, :PORT or [ADDR6]:PORT; an address of "
				     "the node, no name, and a port of 1 to 65535");
	}
	if (!strcmp(slash, "/tls"))
		return err_set(err, -EOPNOTSUPP,
			       "listener %s: TLS passthrough is not supported yet",
			       text);
	if (*slash && strcmp(slash, "/http") != 0)
		return err_set(err, -EINVAL, "listener %s: the protocol is http", text);
	if (!addr_is_unspecified(&want.addr)) {
		r = push(out, want);
	} else {
		bool v4 = addr_is_v4(&want.addr);

		r = expand(&want, any || v4, any || !v4, ifaces, count, out);
		if (!r && out->len == before)
			return err_set(err, -EADDRNOTAVAIL,
				       "listener %s: the interfaces have no address",
				       text);
	}
	return r ? err_set(err, r, "listener %s: %s", text, strerror(-r)) : 0;
}

/* ---- maps ---- */

struct entry {
	struct weir_listener_key key;
	struct weir_listener value;
};

struct entries vec_of(struct entry);

static int add_entry(const void *key, const void *value, void *arg)
{
	struct entry *e = vec_push((struct entries *)arg);

	if (!e)
		return -ENOMEM;
	memcpy(&e->key, key, sizeof(e->key));
	memcpy(&e->value, value, sizeof(e->value));
	return 0;
}

static int write_entry(const struct dp *dp, const struct entry *e, struct err *err)
{
	if (bpf_map_update_elem(dp->map[DP_MAP_listeners], &e->key, &e->value, BPF_ANY))
		return err_set(err, -errno, "listener %s: %s", e->value.text,
			       errno == E2BIG ? "too many listeners" : strerror(errno));
	return 0;
}

static struct weir_listener_key key_of(const struct listener_want *want)
{
	return (struct weir_listener_key){.addr = want->addr,
					  .port = htons(want->port)};
}

static bool is_wanted(const struct listeners *want, const struct weir_listener_key *key)
{
	size_t i;

	for (i = 0; i < want->len; i++) {
		struct weir_listener_key k = key_of(&want->item[i]);

		if (!memcmp(&k, key, sizeof(k)))
			return true;
	}
	return false;
}

/* Bits for all entries, and for nothing else. */
static int write_ports(const struct dp *dp, const struct entries *all, struct err *err)
{
	uint64_t words[PORT_WORDS] = {};
	uint32_t i;

	for (i = 0; i < all->len; i++) {
		uint16_t port = ntohs(all->item[i].key.port);

		words[port / 64] |= 1ull << port % 64;
	}
	for (i = 0; i < PORT_WORDS; i++) {
		uint64_t now;

		if (!bpf_map_lookup_elem(dp->map[DP_MAP_listen_ports], &i, &now) &&
		    now == words[i])
			continue;
		if (bpf_map_update_elem(dp->map[DP_MAP_listen_ports], &i, &words[i],
					BPF_ANY))
			return err_set(err, -errno, "map listen_ports: %s",
				       strerror(errno));
	}
	return 0;
}

static struct entry *find_entry(struct entries *all,
				const struct weir_listener_key *key)
{
	size_t i;

	for (i = 0; i < all->len; i++)
		if (!memcmp(&all->item[i].key, key, sizeof(*key)))
			return &all->item[i];
	return NULL;
}

static int add_wanted(const struct dp *dp, const struct listener_want *want,
		      struct entries *all, struct err *err)
{
	struct weir_listener_key key = key_of(want);
	struct entry *e = find_entry(all, &key);
	char text[WEIR_ADDR_TEXT];
	uint32_t id = 0;
	size_t i;

	addr_format_port(&want->addr, want->port, text);
	if (!e) {
		uint16_t mss = all->len ? all->item[0].value.mss : LISTENER_MSS_DEFAULT;

		for (i = 0; i < all->len; i++)
			if (all->item[i].value.id >= id)
				id = all->item[i].value.id + 1;
		e = vec_push(all);
		if (!e)
			return err_set(err, -ENOMEM, "out of memory");
		e->key = key;
		e->value.id = id;
		e->value.mss = mss;
		if (ports_listened(&want->addr, want->port))
			log_warn("listener %s: a process listens there too; from the "
				 "interfaces of weir nobody reaches it",
				 text);
	}
	e->value.proto = want->proto;
	snprintf(e->value.text, sizeof(e->value.text), "%.56s/%s", text,
		 proto_names[want->proto]);
	return write_entry(dp, e, err);
}

int listeners_set(const struct dp *dp, const struct listeners *want, bool only,
		  struct err *err)
{
	struct entries all = {};
	size_t i, kept = 0;
	int r = map_each(dp->map[DP_MAP_listeners], add_entry, &all, err);

	for (i = 0; !r && only && i < all.len; i++) {
		if (is_wanted(want, &all.item[i].key))
			all.item[kept++] = all.item[i];
		else
			bpf_map_delete_elem(dp->map[DP_MAP_listeners],
					    &all.item[i].key);
	}
	if (!r && only)
		all.len = kept;
	for (i = 0; !r && i < want->len; i++)
		r = add_wanted(dp, &want->item[i], &all, err);
	if (!r)
		r = write_ports(dp, &all, err);
	vec_free(&all);
	return r;
}

int listeners_set_mss(const struct dp *dp, uint16_t mss, struct err *err)
{
	struct entries all = {};
	int r = map_each(dp->map[DP_MAP_listeners], add_entry, &all, err);
	size_t i;

	for (i = 0; !r && i < all.len; i++) {
		if (all.item[i].value.mss == mss)
			continue;
		all.item[i].value.mss = mss;
		r = write_entry(dp, &all.item[i], err);
	}
	vec_free(&all);
	return r;
}

static int add_row(const void *key, const void *value, void *arg)
{
	struct weir_listener *row = vec_push((struct listener_rows *)arg);

	if (!row)
		return -ENOMEM;
	memcpy(row, value, sizeof(*row));
	return 0;
}

int listeners_list(const struct dp *dp, struct listener_rows *out, struct err *err)
{
	return map_each(dp->map[DP_MAP_listeners], add_row, out, err);
}
