/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "agent/source.h"

struct compile_options;

/* What the options say, borrowing their strings and lists. */
struct source compile_source(const struct compile_options *opt);
