/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int loop_init(struct loop *l, struct err *err)
{
	l->stop = false;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return err_set(err, -errno, "epoll: %s", strerror(errno));
	return 0;
}

void loop_fini(struct loop *l)
{
	if (l->epoll >= 0)
		close(l->epoll);
	l->epoll = -1;
}

int loop_add(struct loop *l, struct watch *w, struct err *err)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &ev))
		return err_set(err, -errno, "epoll: %s", strerror(errno));
	return 0;
}

int loop_timer(struct loop *l, struct watch *w, struct err *err)
{
	w->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->fd < 0)
		return err_set(err, -errno, "timer: %s", strerror(errno));
	return loop_add(l, w, err);
}

static struct timespec from_ms(uint32_t ms)
{
	return (struct timespec){ms / 1000, ms % 1000 * 1000000L};
}

void timer_set(const struct watch *w, uint32_t first_ms, uint32_t every_ms)
{
	struct itimerspec t = {.it_value = from_ms(first_ms),
			       .it_interval = from_ms(every_ms)};

	timerfd_settime(w->fd, 0, &t, NULL);
}

void timer_done(const struct watch *w)
{
	uint64_t times;

	/* Not readable any more when it was set anew in between: no matter. */
	if (read(w->fd, &times, sizeof(times)) < 0)
		return;
}

int loop_run(struct loop *l)
{
	while (!l->stop) {
		struct epoll_event ev;
		int n = epoll_wait(l->epoll, &ev, 1, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			struct watch *w = ev.data.ptr;

			w->ready(w);
		}
	}
	return 0;
}
