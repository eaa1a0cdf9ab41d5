/* SPDX-License-Identifier: BSD-2-Clause */
/* Between regex_dfa.c, which determinises, and regex_min.c. */
#pragma once

#include "route/regex.h"

/* Make *d minimal and number its states from the start on, breadth first.
 * -ENOMEM leaves it as it was. */
int dfa_minimise(struct dfa *d, struct err *err);

/* Room for `states` states, all dead and accepting nothing. */
int dfa_alloc(struct dfa *d, u32 states, struct err *err);
