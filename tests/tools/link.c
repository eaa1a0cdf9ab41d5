// SPDX-License-Identifier: BSD-2-Clause
/*
 * link SEED HOW... -- A B [A B]...: a bad wire between each pair of interfaces.
 *
 * Frames that arrive on A leave on B and the other way round, with what HOW says,
 * in the words of netem, for each direction by itself:
 *
 *	loss 1%		frames that vanish
 *	duplicate 2%	frames that come twice
 *	delay 2ms	how long each frame takes
 *	reorder 30%	frames that do not wait for the delay, ahead of earlier ones
 *
 * The same SEED makes the same choices. The interfaces must carry whole packets:
 * switch segmentation and checksum offloads off on their peers. Says "ready" once
 * frames flow, and how many it dropped for want of room when it is ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_ENDS 32
#define MAX_FRAME 9216
#define MAX_WAITING 16384 /* frames under way */

struct frame {
	uint64_t due;	/* CLOCK_MONOTONIC, ns */
	uint64_t order; /* of frames due at once: as they came */
	int out;
	int len;
	char data[];
};

static struct {
	double loss, duplicate, reorder;
	uint64_t delay; /* ns */
} how;

static struct frame *waiting[MAX_WAITING]; /* a heap, the earliest first */
static int n_waiting;
static uint64_t n_frames, n_full, state;
static volatile sig_atomic_t ended;

static void on_end(int sig)
{
	ended = 1;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* xorshift64*: true with the probability p */
static int chance(double p)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717ull >> 11) * 0x1p-53 < p;
}

static int before(const struct frame *a, const struct frame *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void push(struct frame *f)
{
	int i = n_waiting++;

	while (i && before(f, waiting[(i - 1) / 2])) {
		waiting[i] = waiting[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	waiting[i] = f;
}

static struct frame *pop(void)
{
	struct frame *first = waiting[0], *f = waiting[--n_waiting];
	int i = 0, c;

	while ((c = 2 * i + 1) < n_waiting) {
		if (c + 1 < n_waiting && before(waiting[c + 1], waiting[c]))
			c++;
		if (!before(waiting[c], f))
			break;
		waiting[i] = waiting[c];
		i = c;
	}
	waiting[i] = f;
	return first;
}

static void carry(int out, const char *data, int len)
{
	struct frame *f;

	if (n_waiting == MAX_WAITING) {
		n_full++;
		return;
	}
	f = malloc(sizeof(*f) + len);
	if (!f)
		return;
	f->order = n_frames++;
	f->due = now() + (chance(how.reorder) ? 0 : how.delay);
	f->out = out;
	f->len = len;
	memcpy(f->data, data, len);
	push(f);
}

static int end_open(const char *name)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int one = 1, room = 8 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	if (fd < 0 || !at.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		fprintf(stderr, "link: %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return fd;
}

static void set(const char *word, const char *value)
{
	double n = strtod(value, NULL);

	if (!strcmp(word, "loss"))
		how.loss = n / 100;
	else if (!strcmp(word, "duplicate"))
		how.duplicate = n / 100;
	else if (!strcmp(word, "reorder"))
		how.reorder = n / 100;
	else if (!strcmp(word, "delay"))
		how.delay = n * 1000000;
	else {
		fprintf(stderr, "link: %s: not known\n", word);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct pollfd ends[MAX_ENDS];
	char data[MAX_FRAME];
	int n = 0, i, len;

	signal(SIGTERM, on_end);
	state = argc > 1 ? strtoull(argv[1], NULL, 0) * 2 + 1 : 1;
	for (i = 2; i + 1 < argc && strcmp(argv[i], "--"); i += 2)
		set(argv[i], argv[i + 1]);
	for (i++; i < argc && n < MAX_ENDS; i++, n++) {
		ends[n].fd = end_open(argv[i]);
		ends[n].events = POLLIN;
	}
	if (!n || n % 2) {
		fprintf(stderr, "usage: link SEED HOW... -- A B [A B]...\n");
		return 2;
	}
	puts("ready");
	fflush(stdout);
	while (!ended) {
		struct timespec wait = {.tv_sec = 1};
		uint64_t t = now();

		while (n_waiting && waiting[0]->due <= t) {
			struct frame *f = pop();

			/* a full queue of the device is a lost frame */
			if (send(ends[f->out].fd, f->data, f->len, 0) < 0)
				n_full++;
			free(f);
		}
		if (n_waiting) {
			wait.tv_sec = 0;
			wait.tv_nsec = waiting[0]->due - t;
		}
		if (ppoll(ends, n, &wait, NULL) <= 0)
			continue;
		for (i = 0; i < n; i++) {
			if (!(ends[i].revents & POLLIN))
				continue;
			while ((len = recv(ends[i].fd, data, sizeof(data), 0)) > 0) {
				if (chance(how.loss))
					continue;
				carry(i ^ 1, data, len);
				if (chance(how.duplicate))
					carry(i ^ 1, data, len);
			}
		}
	}
	printf("%llu frames, %llu dropped for want of room\n",
	       (unsigned long long)n_frames, (unsigned long long)n_full);
	return 0;
}
