/* SPDX-License-Identifier: BSD-2-Clause */
/* What weir explain says, as JSON and as text. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "route/explain.h"

/* `target` NULL: none. Adds to doc. */
void answer_json(json_t *doc, const struct explain_answer *a, const char *target,
		 size_t target_len);
void answer_print(const struct explain_answer *a, const char *target,
		  size_t target_len);

/* s->route is there. */
json_t *second_json(const struct explain_second *s);
void second_print(const struct explain_second *s);

/* A head in these bytes as far as it was read (explainer.received): what was not
 * is null. */
json_t *http_json(const char *bytes, size_t len, const struct http_head *h);

json_t *hello_json(const struct tls_hello *hello);
