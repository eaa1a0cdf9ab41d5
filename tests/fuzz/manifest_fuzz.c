/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a manifest -> store -> ir. The first byte chooses the reader
 * and the options. What comes out must keep what the table compiler relies on.
 *
 *	clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/manifest_fuzz.c
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <weir/reply.h>

#include "k8s/load.h"
#include "route/build.h"

static int add(const struct node *doc, void *ctx, struct err *err)
{
	return store_add_document(ctx, doc, "f", err);
}

static void check_route(const struct ir *ir, const struct ir_route *r)
{
	size_t i;

	assert(r->host && r->path && r->match && r->ingress && r->backend && r->where);
	assert(r->host_kind == IR_HOST_ANY ? !*r->host : *r->host);
	assert(r->type >= WEIR_PATH_EXACT && r->type <= WEIR_PATH_DEFAULT);
	if (r->type == WEIR_PATH_EXACT || r->type == WEIR_PATH_IMPLEMENTATION)
		assert(r->match[0] == '/');
	if (r->type == WEIR_PATH_PREFIX && *r->match)
		assert(r->match[0] == '/' && r->match[strlen(r->match) - 1] != '/');
	for (i = 0; r->host[i]; i++)
		assert(r->host[i] < 'A' || r->host[i] > 'Z');
	switch (r->action) {
	case WEIR_ACTION_GROUP:
		assert(!r->reason);
		/* fall through */
	case WEIR_ACTION_GATEWAY:
		assert(r->group < ir->groups.len);
		break;
	case WEIR_ACTION_REPLY:
		assert(r->reply >= 0 && (size_t)r->reply < ir->replies.len);
		break;
	case WEIR_ACTION_UNHONOURED:
		assert(r->reason);
		break;
	default:
		assert(0);
	}
}

static void check_ir(const struct ir *ir)
{
	size_t i, k;

	for (i = 0; i < ir->routes.len; i++) {
		check_route(ir, &ir->routes.item[i]);
		if (ir->routes.item[i].type == WEIR_PATH_DEFAULT)
			assert(i + 1 == ir->routes.len);
	}
	for (i = 0; i < ir->groups.len; i++) {
		assert(ir->groups.item[i].endpoints.len <= WEIR_GROUP_ENDPOINTS);
		for (k = 0; k < ir->groups.item[i].endpoints.len; k++)
			assert(ir->groups.item[i].endpoints.item[k].port);
	}
	assert(ir->replies.len <= WEIR_MAX_REPLIES - WEIR_REPLY_FIRST_FREE);
	for (i = 0; i < ir->warnings.len; i++)
		assert(ir->warnings.item[i].text && ir->warnings.item[i].where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const by_hand[] = {"default/s=10.0.0.1:80"};
	struct route_options opt = {.endpoints = by_hand, .endpoint_count = 1};
	struct store store = {};
	struct err err = {};
	struct ir ir = {};
	int ret;

	if (!size)
		return 0;
	opt.gateway = data[0] & 4 ? "10.0.0.9:80" : NULL;
	opt.keep_going = data[0] & 8;
	if (data[0] & 1)
		ret = node_read_json((const char *)data + 1, size - 1, "f", add, &store,
				     &err);
	else
		ret = node_read_yaml((const char *)data + 1, size - 1, "f", add, &store,
				     &err);
	if (!ret)
		ret = route_build(&store, &opt, &ir, &err);
	if (ret)
		assert(err.code == ret && err.what[0]);
	else
		check_ir(&ir);
	ir_free(&ir);
	store_free(&store);
	return 0;
}
