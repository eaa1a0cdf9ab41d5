/* SPDX-License-Identifier: BSD-2-Clause */
/* From the options of a command to an ir. */
#include "cmd/compile.h"

#include "cmd/cmd.h"

struct source compile_source(const struct compile_options *opt)
{
	return (struct source){
		.paths = opt->files.item,
		.path_count = opt->files.len,
		.route =
			{
				.ingress_class = opt->ingress_class,
				.dialect = opt->dialect,
				.gateway = opt->gateway,
				.endpoints = opt->endpoints.item,
				.endpoint_count = opt->endpoints.len,
			},
		.strict = opt->strict,
	};
}

int compile_manifests(struct ctx *ctx, const struct compile_options *opt,
		      struct store *store, struct ir *ir, struct err *err)
{
	struct source src = compile_source(opt);

	return source_compile(&src, store, ir, err);
}
