/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/replies.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dp/dp.h"

/* Registered reason phrases (RFC 9110, 15; RFC 6585). */
static const char *reason_of(uint16_t status)
{
	static const struct {
		uint16_t status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{413, "Content Too Large"},
		{418, "I'm a teapot"},
		{421, "Misdirected Request"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{451, "Unavailable For Legal Reasons"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

/* A field line, or nothing without a value. */
static int field(char *buf, size_t room, const char *name, const char *value)
{
	return value ? snprintf(buf, room, "%s: %s\r\n", name, value) : 0;
}

/* No body and no Content-Length in 1xx, 204 (RFC 9110, 8.6); none in 304. */
static bool has_body(uint16_t status)
{
	return status >= 200 && status != 204 && status != 304;
}

static int render(const struct reply_want *want, const char *reason, bool close,
		  struct weir_reply_text *out)
{
	const char *body = want->body && has_body(want->status) ? want->body : "";
	char length[24];
	const struct {
		const char *name, *value;
	} fields[] = {
		{"Location", want->to_https ? "https://" : want->location},
		{"Content-Type", *body ? want->content_type : NULL},
		{"Content-Length", has_body(want->status) ? length : NULL},
		/* RFC 9110, 7.8 and 15.5.22: 426 names what to upgrade to. */
		{"Upgrade", want->status == 426 ? "TLS/1.2, HTTP/1.1" : NULL},
		{"Connection", want->status == 426
				       ? close ? "Upgrade, close" : "Upgrade"
			       : close ? "close"
				       : NULL},
	};
	size_t room = sizeof(out->text), n, i;

	snprintf(length, sizeof(length), "%zu", strlen(body));
	memset(out, 0, sizeof(*out));
	n = snprintf(out->text, room, "HTTP/1.1 %u %s\r\n", want->status, reason);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]) && n < room; i++) {
		n += field(out->text + n, room - n, fields[i].name, fields[i].value);
		if (!i && want->to_https)
			out->insert_at = n - 2; /* before the line's end */
	}
	if (n + 2 + strlen(body) > room)
		return -E2BIG;
	memcpy(out->text + n, "\r\n", 2);
	n += 2;
	out->head_len = n;
	memcpy(out->text + n, body, strlen(body));
	out->len = n + strlen(body);
	return 0;
}

int reply_render(const struct reply_want *want, struct weir_reply *out)
{
	int r;

	memset(out, 0, sizeof(*out));
	out->status = want->status;
	r = render(want, reason_of(want->status), false, &out->keep);
	return r ? r : render(want, reason_of(want->status), true, &out->close);
}

void reply_render_fixed(uint16_t status, const char *reason, const char *message,
			struct weir_reply *out)
{
	char body[256];
	struct reply_want want = {
		.status = status,
		.content_type = "application/json; charset=utf-8",
		.body = body,
	};

	snprintf(body, sizeof(body), "{\"message\":\"%s\"}", message);
	memset(out, 0, sizeof(*out));
	out->status = status;
	render(&want, reason, false, &out->keep);
	render(&want, reason, true, &out->close);
}

int replies_write_fixed(const struct dp *dp, struct err *err)
{
#define FIXED_ROW(id, status, reason, message) \
	{WEIR_REPLY_##id, status, reason, message},
	static const struct {
		uint32_t id;
		uint16_t status;
		const char *reason, *message;
	} fixed[] = {WEIR_REPLIES(FIXED_ROW)};
#undef FIXED_ROW
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		struct weir_reply reply;
		int r;

		reply_render_fixed(fixed[i].status, fixed[i].reason, fixed[i].message,
				   &reply);
		r = reply_write(dp, fixed[i].id, &reply, err);
		if (r)
			return r;
	}
	return 0;
}

int reply_write(const struct dp *dp, uint32_t id, const struct weir_reply *reply,
		struct err *err)
{
	if (bpf_map_update_elem(dp->map[DP_MAP_replies], &id, reply, BPF_ANY))
		return err_set(err, -errno, "map replies: %s", strerror(errno));
	return 0;
}

int reply_read(const struct dp *dp, uint32_t id, struct weir_reply *out)
{
	return bpf_map_lookup_elem(dp->map[DP_MAP_replies], &id, out) ? -errno : 0;
}
