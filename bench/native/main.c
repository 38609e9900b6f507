/* SPDX-License-Identifier: Apache-2.0 */
/* native TRACE ROUNDS: plays a trace so often, and prints the best round and what was answered. */
#define _POSIX_C_SOURCE 200809L
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAYER_PAGES, LAYER_TABLES, LAYER_IOVA };
enum { ALLOC, FREE };
enum { MAP, UNMAP, WALK };

struct operation {
	int32_t kind, a, b, c;
};

/* Laid out as the file is. */
struct header {
	int32_t layer;
	int32_t slots;
	int32_t warm; /* operations at the start that are not timed */
	int32_t count;
	struct machine machine;
};

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

void *get_memory(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		fail("out of memory");
	return memory;
}

/* What a slot holds is what was answered when it was filled, which may be an error. */
static uint32_t play_pages(const struct operation *at, const struct operation *end, int32_t *slots, uint32_t sum)
{
	for (; at < end; at++) {
		if (at->kind == ALLOC) {
			slots[at->a] = alloc_block(at->b);
			sum = fold(sum, slots[at->a]);
		} else if (slots[at->a] >= 0) {
			free_block(slots[at->a]);
		}
	}
	return sum;
}

static uint32_t play_tables(const struct operation *at, const struct operation *end, uint32_t sum)
{
	for (; at < end; at++) {
		if (at->kind >> 2)
			sum = fold(sum, tables_map(at->a, at->b, at->c, at->kind >> 2));
		else if (at->kind == UNMAP)
			sum = fold(sum, tables_unmap(at->a, at->c));
		else
			sum = fold(sum, tables_walk(at->a));
	}
	return sum;
}

static uint32_t play_iova(const struct operation *at, const struct operation *end, int32_t *slots, uint32_t sum)
{
	for (; at < end; at++) {
		if (at->kind == ALLOC) {
			slots[at->a] = iova_allocate(at->b);
			sum = fold(sum, slots[at->a]);
		} else if (slots[at->a] >= 0) {
			iova_free(slots[at->a], at->b);
		}
	}
	return sum;
}

static uint32_t play(int32_t layer, const struct operation *at, const struct operation *end, int32_t *slots,
		     uint32_t sum)
{
	switch (layer) {
	case LAYER_PAGES:
		return play_pages(at, end, slots, sum);
	case LAYER_TABLES:
		return play_tables(at, end, sum);
	default:
		return play_iova(at, end, slots, sum);
	}
}

static void boot(int32_t layer)
{
	if (layer == LAYER_PAGES)
		pages_reset();
	else if (layer == LAYER_TABLES)
		tables_reset();
	else
		iova_reset();
}

static void init(int32_t layer, const struct machine *machine)
{
	if (layer == LAYER_PAGES)
		pages_init(machine);
	else if (layer == LAYER_TABLES)
		tables_init(machine);
	else
		iova_init(machine);
}

static uint32_t digest(int32_t layer, uint32_t sum)
{
	if (layer == LAYER_PAGES)
		return pages_digest(sum);
	return layer == LAYER_TABLES ? tables_digest(sum) : iova_digest(sum);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
	struct header header;
	struct operation *operations;
	int32_t *slots;
	uint32_t checksum = 0;
	double best = 0;
	FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;

	if (!file || fread(&header, sizeof(header), 1, file) != 1)
		fail("usage: native TRACE ROUNDS");
	operations = get_memory((size_t)header.count, sizeof(*operations));
	slots = get_memory((size_t)header.slots, sizeof(*slots));
	if (fread(operations, sizeof(*operations), (size_t)header.count, file) != (size_t)header.count)
		fail("the trace is too short");
	fclose(file);
	init(header.layer, &header.machine);
	for (int32_t round = 0, rounds = atoi(argv[2]); round < rounds; round++) {
		uint32_t sum = 0;
		double start, spent;

		boot(header.layer);
		sum = play(header.layer, operations, operations + header.warm, slots, sum);
		start = now();
		sum = play(header.layer, operations + header.warm, operations + header.count, slots, sum);
		spent = now() - start;
		sum = digest(header.layer, sum);
		if (round > 0 && sum != checksum)
			fail("two rounds differ");
		checksum = sum;
		if (round == 0 || spent < best)
			best = spent;
	}
	printf("{\"nanoseconds\":%.3f,\"checksum\":%u}\n", best / (header.count - header.warm), checksum);
	return 0;
}
