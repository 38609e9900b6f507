/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O page tables in RAM: a table is a page, an entry is (page + 1) << 2, with rights in the low bits in a
 * leaf and without in a link; 0 is none. A leaf above level 0, a block, maps as many aligned pages as a table
 * would.
 */
#include "native.h"

#include <string.h>

#define RIGHTS 3

/* What a word of RAM holds at boot. */
#define GARBAGE 0xa5

static struct machine config;
static uint32_t *ram;
static int32_t root;
static int32_t levels;
static int32_t slot_mask;
static uint32_t **created; /* entries that got a new table since the mapping began */
static int32_t created_count;

static uint32_t *entry_of(int32_t table, int32_t slot)
{
	return ram + ((size_t)table << config.page_shift) + slot;
}

static int32_t slot_of(int32_t io_page, int32_t level)
{
	return io_page >> level * config.table_bits & slot_mask;
}

static int32_t pages_of(int32_t level)
{
	return 1 << level * config.table_bits;
}

/* The page that an entry names, or -1: a device may have written there. */
static int32_t target(uint32_t entry)
{
	int32_t page = (int32_t)(entry >> 2) - 1;

	return page >= 0 && page < config.pages ? page : -1;
}

static int32_t link_of(uint32_t entry)
{
	return entry & RIGHTS ? -1 : target(entry);
}

static uint32_t translation(uint32_t entry)
{
	return entry & RIGHTS && target(entry) >= 0 ? entry : 0;
}

static int32_t make_table(void)
{
	int32_t table = pages_take(0);

	if (table < 0)
		return table;
	pages_own(table, 1, OWNER_TABLE);
	memset(entry_of(table, 0), 0, sizeof(uint32_t) << config.page_shift);
	return table;
}

static void free_table(int32_t table)
{
	pages_own(table, 1, OWNER_NONE);
	pages_free(table, 0);
}

/* Whether a block of a level maps the start of a range and no more. */
static bool fits(int32_t level, int32_t io_page, int32_t page, int32_t count)
{
	int32_t size = pages_of(level);

	return count >= size && ((io_page | page) & (size - 1)) == 0;
}

/* Whether there is no table where a block would stand. */
static bool has_room(int32_t level, int32_t io_page)
{
	int32_t table = root;

	for (int32_t above = levels - 1; above > level && table >= 0; above--)
		table = link_of(*entry_of(table, slot_of(io_page, above)));
	return table < 0 || link_of(*entry_of(table, slot_of(io_page, level))) < 0;
}

static int32_t leaf_level(int32_t io_page, int32_t page, int32_t count)
{
	int32_t level = levels > 2 ? levels - 2 : 0;

	while (level > 0 && !(fits(level, io_page, page, count) && has_room(level, io_page)))
		level--;
	return level;
}

static int32_t add_table(uint32_t *entry)
{
	int32_t child = make_table();

	if (child < 0)
		return child;
	*entry = (uint32_t)(child + 1) << 2;
	created[created_count++] = entry;
	return child;
}

static int32_t descend(uint32_t *entry)
{
	int32_t child = target(*entry);

	if (child < 0)
		return add_table(entry);
	return *entry & RIGHTS ? -EEXIST : child;
}

static int32_t map_leaf(int32_t io_page, int32_t page, int32_t rights, int32_t level)
{
	int32_t table = root;
	uint32_t *entry;

	for (int32_t above = levels - 1; above > level; above--) {
		table = descend(entry_of(table, slot_of(io_page, above)));
		if (table < 0)
			return table;
	}
	entry = entry_of(table, slot_of(io_page, level));
	if (translation(*entry))
		return -EEXIST;
	*entry = (uint32_t)(page + 1) << 2 | (uint32_t)rights;
	return 0;
}

/* A table in the place of a block, which maps the same. */
static int32_t split(uint32_t *entry, int32_t level)
{
	int32_t child = make_table();

	if (child < 0)
		return child;
	for (int32_t i = 0; i <= slot_mask; i++)
		*entry_of(child, i) = *entry + ((uint32_t)(i << (level - 1) * config.table_bits) << 2);
	*entry = (uint32_t)(child + 1) << 2;
	return child;
}

static int32_t unmap_level(int32_t table, int32_t level, int32_t io_page, int32_t count)
{
	uint32_t *entry = entry_of(table, slot_of(io_page, level));
	uint32_t block = *entry;
	int32_t child = target(block);
	int32_t done;

	if (child < 0)
		return 0;
	if (level > 0 && !(block & RIGHTS))
		return unmap_level(child, level - 1, io_page, count);
	if (level > 0 && !fits(level, io_page, 0, count)) {
		child = split(entry, level);
		if (child < 0)
			return 0;
		done = unmap_level(child, level - 1, io_page, count);
		if (done > 0)
			return done;
		*entry = block;
		free_table(child);
		return 0;
	}
	if (!(block & RIGHTS))
		return 0;
	*entry = 0;
	return pages_of(level);
}

/* Unmaps up to the first hole. Returns how many I/O pages were mapped. */
int32_t tables_unmap(int32_t io_page, int32_t count)
{
	int32_t done = 0;
	int32_t last = -1;

	while (done < count && last != 0) {
		last = unmap_level(root, levels - 1, io_page + done, count - done);
		done += last;
	}
	return done;
}

/* On error nothing of it is mapped, and no new table is left. */
int32_t tables_map(int32_t io_page, int32_t page, int32_t count, int32_t rights)
{
	int32_t done = 0;

	created_count = 0;
	while (done < count) {
		int32_t level = leaf_level(io_page + done, page + done, count - done);
		int32_t error = map_leaf(io_page + done, page + done, rights, level);

		if (error < 0) {
			tables_unmap(io_page, done);
			while (created_count > 0) {
				uint32_t *entry = created[--created_count];
				int32_t child = target(*entry);

				*entry = 0;
				free_table(child);
			}
			return error;
		}
		done += pages_of(level);
	}
	return 0;
}

/* What a device finds: (page + 1) << 2 | rights, or 0. */
int32_t tables_walk(int32_t io_page)
{
	int32_t table = root;

	for (int32_t level = levels - 1; level > 0; level--) {
		uint32_t entry = *entry_of(table, slot_of(io_page, level));
		int32_t page = target(entry);

		if (page < 0)
			return 0;
		if (entry & RIGHTS)
			return (int32_t)translation(entry + ((uint32_t)(io_page & (pages_of(level) - 1)) << 2));
		table = page;
	}
	return (int32_t)translation(*entry_of(table, slot_of(io_page, 0)));
}

void tables_init(const struct machine *machine)
{
	int32_t bits = 0;

	config = *machine;
	pages_init(machine);
	while (1 << bits < config.io_pages)
		bits++;
	levels = (bits + config.table_bits - 1) / config.table_bits;
	if (levels < 1)
		levels = 1;
	slot_mask = (1 << config.table_bits) - 1;
	ram = get_memory((size_t)config.pages << config.page_shift, sizeof(*ram));
	created = get_memory((size_t)config.pages, sizeof(*created));
}

void tables_reset(void)
{
	size_t words = (size_t)config.pages << config.page_shift;

	pages_reset();
	for (size_t word = 0; word < words; word++)
		ram[word] = GARBAGE;
	root = make_table();
}

uint32_t tables_digest(uint32_t sum)
{
	for (int32_t io_page = 0; io_page < config.io_pages; io_page++)
		sum = fold(sum, tables_walk(io_page));
	return pages_digest(sum);
}
