/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/term.h"
#include "dp/flows.h"

/* Another page, no cursor, and lines that end at the margin; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

static struct termios before;
static bool is_open;
static sigset_t calm; /* the signals that are let in while waiting only */
static volatile sig_atomic_t stopped, paused, resized;
static char pending[32]; /* keys that were read and not taken */
static size_t pending_len;

bool screen_is_possible(void)
{
	return isatty(STDIN_FILENO) && term_is_screen();
}

static void on_signal(int sig)
{
	if (sig == SIGTSTP)
		paused = 1;
	else if (sig == SIGWINCH)
		resized = 1;
	else
		stopped = 1;
}

static int enter(void)
{
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return -errno;
	fputs(ENTER, stdout);
	fflush(stdout);
	is_open = true;
	return 0;
}

void screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	fputs(LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

int screen_open(struct err *err)
{
	static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,
				      SIGQUIT, SIGTSTP, SIGWINCH};
	struct sigaction act = {.sa_handler = on_signal};
	static bool registered;
	sigset_t set;
	size_t i;
	int r;

	if (tcgetattr(STDIN_FILENO, &before))
		return err_set(err, -errno, "terminal: %s", strerror(errno));
	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &calm);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &act, NULL);
		sigdelset(&calm, signals[i]);
	}
	if (!registered)
		atexit(screen_close);
	registered = true;
	r = enter();
	return r ? err_set(err, r, "terminal: %s", strerror(-r)) : 0;
}

unsigned int screen_lines(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || !ws.ws_row)
		return 24;
	return ws.ws_row;
}

void screen_begin(void)
{
	fputs("\033[H\033[J", stdout);
}

void screen_end(void)
{
	fflush(stdout);
}

/* ^Z: the shell gets its terminal as it was. Goes on behind SIGCONT. */
static void pause_here(void)
{
	paused = 0;
	screen_close();
	raise(SIGSTOP);
	enter();
}

/* What terminals send for keys (xterm, vt100, linux), without the "\033[". */
static const struct {
	const char *bytes;
	int key;
} sequences[] = {
	{"A", SCREEN_UP},	  {"B", SCREEN_DOWN}, {"5~", SCREEN_PAGE_UP},
	{"6~", SCREEN_PAGE_DOWN}, {"H", SCREEN_HOME}, {"1~", SCREEN_HOME},
	{"7~", SCREEN_HOME},	  {"F", SCREEN_END},  {"4~", SCREEN_END},
	{"8~", SCREEN_END},
};

static int take_pending(size_t len, int key)
{
	pending_len -= len;
	memmove(pending, pending + len, pending_len);
	return key;
}

/* The first key of what was read; there is one. */
static int next_key(void)
{
	size_t i, len = 2;

	if (pending[0] != '\033')
		return take_pending(1, (unsigned char)pending[0]);
	if (pending_len < 3 || (pending[1] != '[' && pending[1] != 'O'))
		return take_pending(pending_len, SCREEN_OTHER);
	for (i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		size_t n = strlen(sequences[i].bytes);

		if (pending_len >= 2 + n && !memcmp(pending + 2, sequences[i].bytes, n))
			return take_pending(2 + n, sequences[i].key);
	}
	/* A sequence ends with its first byte from '@' on (ECMA-48, 5.4). */
	while (len < pending_len && pending[len] < '@')
		len++;
	return take_pending(len < pending_len ? len + 1 : len, SCREEN_OTHER);
}

int screen_key(uint64_t until_ns)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	for (;;) {
		uint64_t now = monotonic_ns();
		uint64_t left = until_ns > now ? until_ns - now : 0;
		struct timespec wait = {left / 1000000000, left % 1000000000};
		ssize_t n;
		int r;

		if (stopped)
			return SCREEN_STOP;
		if (paused) {
			pause_here();
			return SCREEN_RESIZED;
		}
		if (resized) {
			resized = 0;
			return SCREEN_RESIZED;
		}
		if (pending_len)
			return next_key();
		r = ppoll(&in, 1, &wait, &calm);
		if (!r)
			return SCREEN_TIME;
		if (r < 0 && errno == EINTR)
			continue;
		n = r < 0 ? -1 : read(STDIN_FILENO, pending, sizeof(pending));
		if (n <= 0)
			return SCREEN_STOP;
		pending_len = n;
	}
}
