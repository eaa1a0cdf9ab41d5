/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers as Prometheus reads them. */
#pragma once

#include <stdio.h>

#include "base/err.h"

struct dp;

/* Text exposition format, version 0.0.4. */
int metrics_write(const struct dp *dp, FILE *out, struct err *err);
