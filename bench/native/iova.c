/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of I/O pages in a bitmap: the lowest that is aligned to the power of two that is not smaller. */
#include "native.h"

#include <string.h>

static uint32_t *used;
static int32_t words;
static int32_t end;

/* The bits from `from` to the end of their word, at most `count` of them. */
static uint32_t mask_of(int32_t from, int32_t count)
{
	return (count >= 32 ? ~UINT32_C(0) : (UINT32_C(1) << count) - 1) << from;
}

static bool is_free(int32_t first, int32_t count)
{
	int32_t stop = first + count;

	for (int32_t at = first; at < stop; at = (at | 31) + 1)
		if (used[at >> 5] & mask_of(at & 31, stop - at))
			return false;
	return true;
}

static void mark(int32_t first, int32_t count, bool taken)
{
	int32_t stop = first + count;

	for (int32_t at = first; at < stop; at = (at | 31) + 1) {
		uint32_t mask = mask_of(at & 31, stop - at);

		used[at >> 5] = taken ? used[at >> 5] | mask : used[at >> 5] & ~mask;
	}
}

/* I/O page 0 is never given out. */
int32_t iova_allocate(int32_t count)
{
	int32_t align = 1;

	if (count >= end)
		return -ENOSPC;
	while (align < count)
		align <<= 1;
	for (int32_t first = align; first + count <= end; first += align) {
		if (!is_free(first, count))
			continue;
		mark(first, count, true);
		return first;
	}
	return -ENOSPC;
}

void iova_free(int32_t first, int32_t count)
{
	mark(first, count, false);
}

void iova_init(const struct machine *machine)
{
	end = machine->io_pages - machine->reserved_io_pages;
	words = (machine->io_pages + 31) >> 5;
	used = get_memory((size_t)words, sizeof(*used));
}

void iova_reset(void)
{
	memset(used, 0, (size_t)words * sizeof(*used));
}

uint32_t iova_digest(uint32_t sum)
{
	for (int32_t at = 0; at < words << 5; at++)
		if (used[at >> 5] >> (at & 31) & 1)
			sum = fold(sum, at);
	return sum;
}
