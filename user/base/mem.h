/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owning locals: a variable declared with one of these is released when its
 * scope ends, unless take() or take_fd() moved it out.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void mem_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void mem_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void mem_close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define auto_free __attribute__((cleanup(mem_free_ptr)))
#define auto_fd __attribute__((cleanup(mem_close_fd)))
#define auto_file __attribute__((cleanup(mem_close_file)))

#define take(p)                           \
	({                                \
		__typeof__(p) taken_ = p; \
		(p) = NULL;               \
		taken_;                   \
	})

#define take_fd(fd)              \
	({                       \
		int taken_ = fd; \
		(fd) = -1;       \
		taken_;          \
	})
