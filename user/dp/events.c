/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/pin.h"

/* The kernel writes for so long after the reader's last sign of life. */
#define ALIVE_NS 5000000000ull

struct events {
	int lock;
	int monitor;
	struct ring_buffer *ring;
	struct weir_monitor want;
	uint64_t lost_before;
	uint64_t renewed_ns;
	events_fn fn; /* NULL: throw away */
	void *arg;
};

static int on_record(void *ctx, void *data, size_t len)
{
	struct events *ev = ctx;

	return ev->fn ? ev->fn(ev->arg, data, len) : 0;
}

static uint64_t lost_now(const struct events *ev)
{
	struct weir_monitor m;
	uint32_t zero = 0;

	return bpf_map_lookup_elem(ev->monitor, &zero, &m) ? 0 : m.lost;
}

/* The count of the lost is the kernel's; one that is counted between reading and
 * writing is forgotten. */
static int renew(struct events *ev, uint64_t until_ns)
{
	struct weir_monitor m = ev->want;
	uint32_t zero = 0;

	m.until_ns = until_ns;
	m.lost = lost_now(ev);
	return bpf_map_update_elem(ev->monitor, &zero, &m, BPF_ANY) ? -errno : 0;
}

int events_open(const struct dp *dp, const struct weir_monitor *want, events_fn fn,
		void *arg, struct events **out, struct err *err)
{
	struct events *ev = calloc(1, sizeof(*ev));
	int r;

	if (!ev)
		return err_set(err, -ENOMEM, "out of memory");
	ev->want = *want;
	ev->monitor = dp->map[DP_MAP_monitor];
	ev->lock = pin_lock(dp->pin, PIN_LOCK_MONITOR, err);
	if (ev->lock < 0) {
		r = ev->lock;
		free(ev);
		return r;
	}
	ev->ring = ring_buffer__new(dp->map[DP_MAP_events], on_record, ev, NULL);
	if (!ev->ring) {
		r = err_set(err, -errno, "map events: %s", strerror(errno));
		events_close(ev);
		return r;
	}
	ring_buffer__consume(ev->ring);
	ev->fn = fn;
	ev->arg = arg;
	ev->lost_before = lost_now(ev);
	ev->renewed_ns = monotonic_ns();
	r = renew(ev, ev->renewed_ns + ALIVE_NS);
	if (r) {
		err_set(err, r, "map monitor: %s", strerror(-r));
		events_close(ev);
		return r;
	}
	*out = ev;
	return 0;
}

int events_poll(struct events *ev, int timeout_ms)
{
	int r = ring_buffer__poll(ev->ring, timeout_ms);
	uint64_t now = monotonic_ns();

	if (now - ev->renewed_ns > ALIVE_NS / 4) {
		ev->renewed_ns = now;
		renew(ev, now + ALIVE_NS);
	}
	return r < 0 ? r : 0;
}

uint64_t events_lost(const struct events *ev)
{
	return lost_now(ev) - ev->lost_before;
}

void events_close(struct events *ev)
{
	if (!ev)
		return;
	renew(ev, 0);
	ring_buffer__free(ev->ring);
	close(ev->lock);
	free(ev);
}
