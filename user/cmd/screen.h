/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal as a screen that is drawn on and gives keys. What it was before is put
 * back by screen_close(), by exit(), and around a stop (^Z). SIGINT, SIGTERM, SIGHUP and
 * SIGQUIT are told as SCREEN_STOP, so that the command ends in its usual way.
 *
 *	if (screen_open(&err))
 *		return cmd_fail(&err);
 *	do {
 *		screen_begin();
 *		printf(...);
 *		screen_end();
 *	} while (screen_key(until_ns) != SCREEN_STOP);
 *	screen_close();
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Keys that are no character. */
enum screen_key {
	SCREEN_TIME = 256, /* no key until then */
	SCREEN_STOP,	   /* a signal, or the terminal is gone */
	SCREEN_RESIZED,	   /* draw again */
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_END,
	SCREEN_OTHER,
};

/* Are standard input and output a terminal that can do it? */
bool screen_is_possible(void);

int screen_open(struct err *err);
void screen_close(void);

unsigned int screen_lines(void);

/* What is printed to stdout in between is what the screen shows. */
void screen_begin(void);
void screen_end(void);

/* A character or an enum screen_key; waits until then, CLOCK_MONOTONIC. */
int screen_key(uint64_t until_ns);
