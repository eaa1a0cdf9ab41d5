/* SPDX-License-Identifier: BSD-2-Clause */
/* weir explain: which way a request takes, and why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/compile.h"
#include "cmd/explain_answer.h"
#include "k8s/store.h"

enum listener {
	LISTENER_AUTO,
	LISTENER_HTTP,
	LISTENER_TLS,
};

struct explain_options {
	struct words headers;
	bool batch;
	const char *raw;
	int listener; /* enum listener */
};

const struct option_row options_explain[] = {
	{'H', "header", "NAME: VALUE", "a header line of the request; repeatable",
	 OPTION_LIST, offsetof(struct explain_options, headers)},
	{0, "batch", NULL,
	 "requests as JSON lines on standard input, answers the same way", OPTION_FLAG,
	 offsetof(struct explain_options, batch)},
	{0, "raw", "FILE|-", "the bytes of one client's stream", OPTION_STRING,
	 offsetof(struct explain_options, raw)},
	{0, "listener", "auto|http|tls", "what --raw holds (auto: by its first byte)",
	 OPTION_CHOICE, offsetof(struct explain_options, listener)},
	{},
};

/* ---- a request that is described ---- */

struct request {
	const char *method, *target, *version;
	size_t method_len, target_len;
	const char *host; /* NULL: no such line */
	size_t host_len;
	FILE *fields;	/* the other header lines */
	bool is_broken; /* a line break within a part: no head says that */
	bool over_tls;
	char *head; /* all of it, made by ask(), to be freed */
	size_t head_len;
};

/* The rules as plain requests meet them and, once one is asked for, as those do
 * that come over TLS: a rule for https only is kept then. */
struct rules {
	const struct compile_options *opt;
	struct store *store;
	struct explainer *plain, *tls;
	struct ir tls_ir;
};

static int open_tls(struct rules *rules, struct err *err)
{
	struct source src = compile_source(rules->opt);
	int r;

	src.route.over_tls = true;
	rules->tls = calloc(1, sizeof(*rules->tls));
	if (!rules->tls)
		return err_set(err, -ENOMEM, "explain: out of memory");
	r = route_build(rules->store, &src.route, &rules->tls_ir, err);
	return r ?: explain_open(rules->tls, &rules->tls_ir, err);
}

/* NULL: an error has been said. */
static struct explainer *rules_for(struct rules *rules, const struct request *q)
{
	struct err err = {};

	if (!q->over_tls)
		return rules->plain;
	if (!rules->tls && open_tls(rules, &err)) {
		cmd_fail(&err);
		return NULL;
	}
	return rules->tls;
}

static void close_tls(struct rules *rules)
{
	if (rules->tls)
		explain_close(rules->tls);
	free(rules->tls);
	ir_free(&rules->tls_ir);
}

static bool has_break(const char *s, size_t len)
{
	return memmem(s, len, "\r\n", 2) != NULL;
}

static void add_field(struct request *q, const char *name, size_t name_len,
		      const char *value, size_t value_len)
{
	if (has_break(name, name_len) || has_break(value, value_len))
		q->is_broken = true;
	fwrite(name, 1, name_len, q->fields);
	fputs(": ", q->fields);
	fwrite(value, 1, value_len, q->fields);
	fputs("\r\n", q->fields);
}

/* Writes the head into q and asks. `fields` of q is closed behind it. */
static int ask(struct explainer *e, struct request *q, char **fields,
	       size_t *fields_len, struct explain_answer *a)
{
	FILE *f;

	fclose(q->fields);
	f = open_memstream(&q->head, &q->head_len);
	if (!f)
		return -ENOMEM;
	if (has_break(q->method, q->method_len) ||
	    has_break(q->target, q->target_len) ||
	    (q->host && has_break(q->host, q->host_len)))
		q->is_broken = true;
	fwrite(q->method, 1, q->method_len, f);
	fputc(' ', f);
	fwrite(q->target, 1, q->target_len, f);
	fprintf(f, " HTTP/%s\r\n", q->version);
	if (q->host) {
		fputs("Host: ", f);
		fwrite(q->host, 1, q->host_len, f);
		fputs("\r\n", f);
	}
	fwrite(*fields, 1, *fields_len, f);
	/* A head without any header line has no room for the padding of a shorter
	 * target; a client that sends none is rare. --raw takes it as it is. */
	if (!q->host && !*fields_len)
		fputs("User-Agent: weir\r\n", f);
	fputs("\r\n", f);
	fclose(f);
	if (q->is_broken) {
		*a = (struct explain_answer){
			.verdict = EXPLAIN_REJECT,
			.status = 400,
			.reason = "a line break within a part of the head",
		};
		return 0;
	}
	explain_head(e, q->head, q->head_len, a);
	/* the head of a described request is whole, or longer than any */
	if (a->verdict == EXPLAIN_INCOMPLETE) {
		a->verdict = EXPLAIN_REJECT;
		a->status = 431;
	}
	return 0;
}

static int out_of_memory(void)
{
	struct err err = {};

	err_set(&err, -ENOMEM, "explain: out of memory");
	return cmd_fail(&err);
}

/* ---- --batch ---- */

static bool read_text(json_t *doc, const char *key, const char **s, size_t *len)
{
	json_t *v = json_object_get(doc, key);

	if (!v)
		return true;
	if (!json_is_string(v))
		return false;
	*s = json_string_value(v);
	*len = json_string_length(v);
	return true;
}

static bool read_fields(json_t *fields, struct request *q)
{
	const char *name;
	json_t *value, *one;
	size_t i;

	if (fields && !json_is_object(fields) && !json_is_null(fields))
		return false;
	json_object_foreach(fields, name, value)
	{
		if (json_is_string(value)) {
			add_field(q, name, strlen(name), json_string_value(value),
				  json_string_length(value));
			continue;
		}
		if (!json_is_array(value))
			return false;
		json_array_foreach(value, i, one)
		{
			if (!json_is_string(one))
				return false;
			add_field(q, name, strlen(name), json_string_value(one),
				  json_string_length(one));
		}
	}
	return true;
}

/* A line of input to *out, or why it is no question. */
static const char *answer_line(struct rules *rules, json_t *in, json_t *out)
{
	struct explainer *e;
	struct request q = {.method = "GET", .method_len = 3, .version = "1.1"};
	auto_free char *fields = NULL;
	struct explain_answer a;
	json_t *id = json_object_get(in, "id");
	size_t len, version_len, scheme_len;
	const char *scheme = "http";
	bool is_good;

	if (!json_is_object(in))
		return "not an object";
	if (json_is_null(json_object_get(in, "host")))
		json_object_del(in, "host");
	q.fields = open_memstream(&fields, &len);
	if (!q.fields)
		return "out of memory";
	is_good = read_text(in, "method", &q.method, &q.method_len) &&
		  read_text(in, "target", &q.target, &q.target_len) &&
		  read_text(in, "host", &q.host, &q.host_len) &&
		  read_text(in, "version", &q.version, &version_len) &&
		  read_text(in, "scheme", &scheme, &scheme_len) &&
		  read_fields(json_object_get(in, "headers"), &q);
	if (!is_good || !q.target || has_break(q.version, strlen(q.version))) {
		fclose(q.fields);
		return q.target ? "a key has a value of the wrong kind"
				: "there is no target";
	}
	q.over_tls = !strcasecmp(scheme, "https");
	e = rules_for(rules, &q);
	if (!e || ask(e, &q, &fields, &len, &a)) {
		free(q.head);
		return e ? "out of memory" : "the rules cannot be read for https";
	}
	if (id)
		json_object_set(out, "id", id);
	answer_json(out, &a, a.target, a.target_len);
	if (a.verdict == EXPLAIN_REJECT && !q.is_broken)
		json_object_set_new(out, "http",
				    http_json(q.head, q.head_len, &e->received));
	free(q.head);
	return NULL;
}

static int run_batch(struct rules *rules)
{
	auto_free char *line = NULL;
	size_t cap = 0, number = 0;
	int code = EXIT_DONE;
	ssize_t len;

	while ((len = getline(&line, &cap, stdin)) > 0) {
		const char *why;
		json_error_t at;
		json_t *in, *out;

		number++;
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		in = json_loadb(line, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &at);
		out = json_object();
		why = in ? answer_line(rules, in, out) : at.text;
		if (why) {
			struct err err = {};

			err_set(&err, -EINVAL, "explain: %s", why);
			err_where(&err, "<stdin>:%zu", number);
			code = cmd_fail(&err);
		} else {
			json_dumpf(out, stdout, JSON_COMPACT);
			putchar('\n');
			fflush(stdout);
		}
		json_decref(in);
		json_decref(out);
	}
	return code;
}

/* ---- METHOD URL ---- */

/* "scheme://host/path", "host/path" or "/path". */
static void split_url(const char *url, struct request *q)
{
	const char *scheme = strstr(url, "://"), *slash;

	if (scheme && strcspn(url, "/?") > (size_t)(scheme - url)) {
		q->over_tls = !strncasecmp(url, "https://", 8);
		url = scheme + 3;
	}
	if (*url != '/') {
		q->host = url;
		q->host_len = strcspn(url, "/?#");
		url += q->host_len;
	}
	slash = *url == '/' ? url : NULL;
	q->target = slash ?: url;
	q->target_len = strcspn(url, "#");
}

/* What is said of the question: the rule that comes next, too. */
static int say_one(struct ctx *ctx, struct explainer *e, const struct request *q,
		   const struct explain_answer *a)
{
	struct explain_second second = {};
	struct err err = {};
	json_t *doc;

	if (a->route &&
	    explain_second(e, a->route, q->head, q->head_len, &second, &err))
		return cmd_fail(&err);
	if (ctx->output != OUTPUT_JSON) {
		answer_print(a, a->target, a->target_len);
		if (second.route)
			second_print(&second);
		return EXIT_DONE;
	}
	doc = json_object();
	answer_json(doc, a, a->target, a->target_len);
	if (second.route)
		json_object_set_new(doc, "next", second_json(&second));
	if (a->verdict == EXPLAIN_REJECT && !q->is_broken)
		json_object_set_new(doc, "http",
				    http_json(q->head, q->head_len, &e->received));
	return cmd_json(doc);
}

static int run_one(struct ctx *ctx, struct rules *rules,
		   const struct explain_options *opt, const char *method,
		   const char *url)
{
	struct request q = {.method = method, .method_len = strlen(method)};
	auto_free char *fields = NULL, *target = NULL;
	struct explain_answer a;
	struct explainer *e;
	size_t len, i;
	int code;

	split_url(url, &q);
	if (!q.target_len || *q.target != '/') {
		if (asprintf(&target, "/%.*s", (int)q.target_len, q.target) < 0)
			return out_of_memory();
		q.target = target;
		q.target_len++;
	}
	q.fields = open_memstream(&fields, &len);
	if (!q.fields)
		return out_of_memory();
	for (i = 0; i < opt->headers.len; i++) {
		const char *line = opt->headers.item[i], *colon = strchr(line, ':');
		const char *value;

		if (!colon) {
			fclose(q.fields);
			return cmd_usage(ctx, "-H \"%s\": not NAME: VALUE", line);
		}
		value = colon + 1 + strspn(colon + 1, " \t");
		if (colon - line == 4 && !strncasecmp(line, "host", 4)) {
			q.host = value;
			q.host_len = strlen(value);
			continue;
		}
		add_field(&q, line, colon - line, value, strlen(value));
	}
	q.version = q.host ? "1.1" : "1.0";
	e = rules_for(rules, &q);
	if (!e) {
		fclose(q.fields);
		return EXIT_FAILED;
	}
	code = ask(e, &q, &fields, &len, &a) ? out_of_memory()
					     : say_one(ctx, e, &q, &a);
	free(q.head);
	return code;
}

/* ---- --raw ---- */

static int read_all(const char *path, char **out, size_t *len, struct err *err)
{
	bool is_stdin = !strcmp(path, "-");
	auto_file FILE *opened = is_stdin ? NULL : fopen(path, "rb");
	FILE *in = is_stdin ? stdin : opened, *to;
	char piece[65536];
	size_t n;

	if (!in)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	to = open_memstream(out, len);
	if (!to)
		return err_set(err, -ENOMEM, "explain: out of memory");
	while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
		fwrite(piece, 1, n, to);
	fclose(to);
	if (ferror(in))
		return err_set(err, -EIO, "%s: cannot be read", path);
	return 0;
}

static json_t *stream_json(const struct explain_stream *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->requests.len; i++) {
		const struct explain_request *q = &s->requests.item[i];
		json_t *one = json_object();

		json_object_set_new(one, "offset", json_integer(q->offset));
		json_object_set_new(one, "head_bytes",
				    q->head_bytes ? json_integer(q->head_bytes)
						  : json_null());
		json_object_set_new(one, "end",
				    q->end ? json_integer(q->end) : json_null());
		json_object_set_new(one, "verdict",
				    json_string(explain_verdict_text[q->verdict]));
		json_array_append_new(list, one);
	}
	return list;
}

static int raw_http(struct ctx *ctx, struct explainer *e, const char *bytes, size_t len)
{
	struct explain_stream s;
	int code = EXIT_DONE;
	size_t i;

	if (explain_stream(e, bytes, len, &s)) {
		explain_stream_free(&s);
		return out_of_memory();
	}
	if (ctx->output == OUTPUT_JSON) {
		json_t *doc = json_object();

		answer_json(doc, &s.first, s.first_target, s.first_target_len);
		json_object_set_new(doc, "http", http_json(bytes, len, &s.head));
		json_object_set_new(doc, "stream", stream_json(&s));
		code = cmd_json(doc);
	} else {
		answer_print(&s.first, s.first_target, s.first_target_len);
		for (i = 0; i < s.requests.len; i++) {
			const struct explain_request *q = &s.requests.item[i];

			printf("request  at %llu, head of %u bytes, ",
			       (unsigned long long)q->offset, q->head_bytes);
			if (q->end)
				printf("ends at %llu: ", (unsigned long long)q->end);
			else
				printf("no end: ");
			printf("%s\n", explain_verdict_text[q->verdict]);
		}
	}
	explain_stream_free(&s);
	return code;
}

static int raw_tls(struct ctx *ctx, const char *gateway, const char *bytes, size_t len)
{
	struct explain_answer a = {.verdict = EXPLAIN_REJECT};
	struct tls_hello hello;
	enum hello_status r = hello_read(bytes, len, &hello);
	const char *why = "TLS is not terminated in the kernel";
	size_t i;

	if (r == HELLO_MORE) {
		a.verdict = EXPLAIN_INCOMPLETE;
		why = "the ClientHello goes on";
	} else if (r == HELLO_BAD) {
		why = "not a ClientHello";
	} else if (gateway) {
		a.verdict = EXPLAIN_GATEWAY;
	}
	snprintf(a.reason, sizeof(a.reason), "%s", why);
	if (ctx->output == OUTPUT_JSON) {
		json_t *doc = json_object();

		answer_json(doc, &a, NULL, 0);
		if (r == HELLO_DONE)
			json_object_set_new(doc, "tls", hello_json(&hello));
		return cmd_json(doc);
	}
	answer_print(&a, NULL, 0);
	if (r == HELLO_DONE) {
		printf("sni      %s\n", *hello.sni ? hello.sni : "-");
		for (i = 0; i < hello.protocol_count; i++)
			printf("alpn     %s\n", hello.protocols[i]);
	}
	return EXIT_DONE;
}

static int run_raw(struct ctx *ctx, struct explainer *e,
		   const struct explain_options *opt, const char *gateway)
{
	auto_free char *bytes = NULL;
	struct err err = {};
	bool is_tls;
	size_t len;

	if (read_all(opt->raw, &bytes, &len, &err))
		return cmd_fail(&err);
	is_tls = opt->listener == LISTENER_AUTO ? len && *bytes == 0x16
						: opt->listener == LISTENER_TLS;
	return is_tls ? raw_tls(ctx, gateway, bytes, len)
		      : raw_http(ctx, e, bytes, len);
}

/* ---- */

static bool reads_stdin(const struct compile_options *opt)
{
	size_t i;

	for (i = 0; i < opt->files.len; i++)
		if (!strcmp(opt->files.item[i], "-"))
			return true;
	return false;
}

static int explain(struct ctx *ctx, const struct compile_options *copt,
		   const struct explain_options *opt, int argc, char **argv)
{
	auto_free struct explainer *e = calloc(1, sizeof(*e));
	struct store store;
	struct rules rules = {.opt = copt, .store = &store, .plain = e};
	struct err err = {};
	struct ir ir;
	int code;

	if (!copt->files.len)
		return cmd_usage(ctx, "-f PATH is missing");
	if (opt->batch && opt->raw)
		return cmd_usage(ctx, "--batch or --raw, not both");
	if (opt->batch || opt->raw ? argc > 1 : argc != 3)
		return cmd_usage(ctx, opt->batch || opt->raw
					      ? "METHOD and URL do not go with "
						"--batch and --raw"
					      : "METHOD and URL are wanted");
	if (reads_stdin(copt) && (opt->batch || (opt->raw && !strcmp(opt->raw, "-"))))
		return cmd_usage(ctx, "-f - takes all of standard input");
	if (!e)
		return out_of_memory();
	if (compile_manifests(ctx, copt, &store, &ir, &err))
		return cmd_fail(&err);
	if (explain_open(e, &ir, &err))
		code = cmd_fail(&err);
	else if (opt->batch)
		code = run_batch(&rules);
	else if (opt->raw)
		code = run_raw(ctx, e, opt, copt->gateway);
	else
		code = run_one(ctx, &rules, opt, argv[1], argv[2]);
	close_tls(&rules);
	explain_close(e);
	ir_free(&ir);
	store_free(&store);
	return code;
}

int explain_main(struct ctx *ctx, int argc, char **argv)
{
	struct compile_options copt = COMPILE_DEFAULTS;
	struct explain_options opt = {};
	void *const to[] = {&copt, &opt};
	int code = options_parse(ctx, to, &argc, argv);

	if (!code)
		code = explain(ctx, &copt, &opt, argc, argv);
	compile_options_free(&copt);
	vec_free(&opt.headers);
	return code;
}
