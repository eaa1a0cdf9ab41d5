/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/table.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "dp/dp.h"

/* A map of one mmapable value occupies whole pages. */
static size_t mapped_size(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) & ~(page - 1);
}

int table_fill(const struct dp *dp, const void *blob, size_t size, struct err *err)
{
	DECLARE_LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	auto_fd int fd = -1;
	void *to;

	if (size > dp->table_bytes)
		return err_set(err, -EFBIG, "route table: %zu bytes do not fit %u",
			       size, dp->table_bytes);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table_inner", sizeof(uint32_t),
			    dp->table_bytes, 1, &opts);
	if (fd < 0)
		return err_set(err, -errno, "route table of %u bytes: %s",
			       dp->table_bytes, strerror(errno));
	to = mmap(NULL, mapped_size(dp->table_bytes), PROT_READ | PROT_WRITE,
		  MAP_SHARED, fd, 0);
	if (to == MAP_FAILED)
		return err_set(err, -errno, "route table: %s", strerror(errno));
	memcpy(to, blob, size);
	munmap(to, mapped_size(dp->table_bytes));
	return take_fd(fd);
}

int table_swap(const struct dp *dp, int inner, struct err *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(dp->map[DP_MAP_table], &zero, &inner, BPF_ANY))
		return err_set(err, -errno, "route table: cannot be put in place: %s",
			       strerror(errno));
	return 0;
}

int table_map(const struct dp *dp, const void **blob, size_t *size, struct err *err)
{
	auto_fd int fd = -1;
	uint32_t zero = 0, id;
	void *from;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_table], &zero, &id))
		return err_set(err, -errno, "route table: %s",
			       errno == ENOENT ? "none in use" : strerror(errno));
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return err_set(err, -errno, "route table: %s", strerror(errno));
	from = mmap(NULL, mapped_size(dp->table_bytes), PROT_READ, MAP_SHARED, fd, 0);
	if (from == MAP_FAILED)
		return err_set(err, -errno, "route table: %s", strerror(errno));
	*blob = from;
	*size = dp->table_bytes;
	return 0;
}
