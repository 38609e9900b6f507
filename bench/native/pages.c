/* SPDX-License-Identifier: Apache-2.0 */
/* A binary buddy allocator that merges at once, lowest block first, with parked single pages in front. */
#include "native.h"

#include <string.h>

#define ORDERS 11
#define LEVELS 5 /* 32^5 members */

/* A set of numbers that finds its least: a bit of level k + 1 tells whether a word of level k is not 0. */
struct tree {
	uint32_t *level[LEVELS];
	int32_t words[LEVELS];
	int32_t levels;
};

static struct machine config;
static struct tree lists[ORDERS];
static struct tree parked_list;
static uint8_t *free_order; /* order + 1 of the free block that starts here, else 0 */
static uint8_t *owner;
static uint8_t *is_parked;
static int32_t *block; /* pages of the block that was handed out from here on */
static int32_t free_count;
static int32_t parked_count;

static void tree_init(struct tree *tree, int32_t count)
{
	int32_t words = count;

	do {
		words = (words + 31) >> 5;
		tree->words[tree->levels] = words;
		tree->level[tree->levels++] = get_memory((size_t)words, sizeof(uint32_t));
	} while (words > 1);
}

static void tree_clear(struct tree *tree)
{
	for (int32_t k = 0; k < tree->levels; k++)
		memset(tree->level[k], 0, (size_t)tree->words[k] * sizeof(uint32_t));
}

static void tree_add(struct tree *tree, int32_t index)
{
	for (int32_t k = 0; k < tree->levels; k++) {
		uint32_t *word = &tree->level[k][index >> 5];
		uint32_t old = *word;

		*word = old | UINT32_C(1) << (index & 31);
		if (old)
			return;
		index >>= 5;
	}
}

static void tree_remove(struct tree *tree, int32_t index)
{
	for (int32_t k = 0; k < tree->levels; k++) {
		uint32_t *word = &tree->level[k][index >> 5];

		*word &= ~(UINT32_C(1) << (index & 31));
		if (*word)
			return;
		index >>= 5;
	}
}

static int32_t tree_first(const struct tree *tree)
{
	int32_t index = 0;

	for (int32_t k = tree->levels - 1; k >= 0; k--) {
		uint32_t word = tree->level[k][index];

		if (!word)
			return -1;
		index = index << 5 | __builtin_ctz(word);
	}
	return index;
}

static void list_block(int32_t page, int32_t order)
{
	tree_add(&lists[order], page >> order);
	free_order[page] = (uint8_t)(order + 1);
}

static void unlist_block(int32_t page, int32_t order)
{
	tree_remove(&lists[order], page >> order);
	free_order[page] = 0;
}

static bool can_merge(int32_t buddy, int32_t order)
{
	return order < config.order_max && buddy < config.pages && free_order[buddy] == order + 1;
}

static void free_to_lists(int32_t page, int32_t order)
{
	free_count += 1 << order;
	for (int32_t buddy = page ^ 1 << order; can_merge(buddy, order); buddy = page ^ 1 << order) {
		unlist_block(buddy, order);
		page &= ~(1 << order);
		order++;
	}
	list_block(page, order);
}

static int32_t pop_parked(void)
{
	int32_t page = parked_count > 0 ? tree_first(&parked_list) : -1;

	if (page < 0)
		return page;
	tree_remove(&parked_list, page);
	is_parked[page] = 0;
	parked_count--;
	return page;
}

static int32_t take_parked(void)
{
	return free_count < config.reserve ? -1 : pop_parked();
}

static void drain(void)
{
	for (int32_t page = pop_parked(); page >= 0; page = pop_parked())
		free_to_lists(page, 0);
}

static int32_t take_block(int32_t order)
{
	int32_t found = order;
	int32_t page = -1;

	if (free_count - (1 << order) < config.reserve)
		return -ENOMEM;
	for (; found <= config.order_max; found++) {
		page = tree_first(&lists[found]);
		if (page >= 0)
			break;
	}
	if (page < 0)
		return -ENOMEM;
	page <<= found;
	unlist_block(page, found);
	for (int32_t k = found - 1; k >= order; k--)
		list_block(page + (1 << k), k);
	free_count -= 1 << order;
	return page;
}

/* Nothing can be reclaimed or moved here: all that may help is what is parked. */
int32_t pages_take(int32_t order)
{
	int32_t page = order == 0 ? take_parked() : -1;

	if (page < 0)
		page = take_block(order);
	if (page >= 0)
		return page;
	drain();
	return take_block(order);
}

void pages_free(int32_t page, int32_t order)
{
	if (order != 0 || parked_count >= config.parked) {
		free_to_lists(page, order);
		return;
	}
	tree_add(&parked_list, page);
	is_parked[page] = 1;
	parked_count++;
}

void pages_own(int32_t page, int32_t count, uint8_t who)
{
	memset(owner + page, who, (size_t)count);
}

int32_t alloc_block(int32_t order)
{
	int32_t page;

	if (order < 0 || order > config.order_max)
		return -EINVAL;
	page = pages_take(order);
	if (page < 0)
		return page;
	pages_own(page, 1 << order, OWNER_BLOCK);
	block[page] = 1 << order;
	return page;
}

void free_block(int32_t page)
{
	int32_t count = block[page];

	pages_own(page, count, OWNER_NONE);
	block[page] = 0;
	pages_free(page, __builtin_ctz((uint32_t)count));
}

void pages_init(const struct machine *machine)
{
	size_t count = (size_t)machine->pages;

	config = *machine;
	for (int32_t order = 0; order <= config.order_max; order++)
		tree_init(&lists[order], config.pages >> order > 0 ? config.pages >> order : 1);
	tree_init(&parked_list, config.pages);
	free_order = get_memory(count, sizeof(*free_order));
	owner = get_memory(count, sizeof(*owner));
	is_parked = get_memory(count, sizeof(*is_parked));
	block = get_memory(count, sizeof(*block));
}

/* Everything is free, in the largest blocks. */
void pages_reset(void)
{
	size_t count = (size_t)config.pages;

	for (int32_t order = 0; order <= config.order_max; order++)
		tree_clear(&lists[order]);
	tree_clear(&parked_list);
	memset(free_order, 0, count * sizeof(*free_order));
	memset(owner, 0, count * sizeof(*owner));
	memset(is_parked, 0, count * sizeof(*is_parked));
	memset(block, 0, count * sizeof(*block));
	free_count = 0;
	parked_count = 0;
	for (int32_t page = 0; page < config.pages; page++)
		free_to_lists(page, 0);
}

uint32_t pages_digest(uint32_t sum)
{
	sum = fold(fold(sum, free_count), parked_count);
	for (int32_t page = 0; page < config.pages; page++)
		sum = fold(fold(sum, free_order[page] << 8 | owner[page] << 1 | is_parked[page]), block[page]);
	return sum;
}
