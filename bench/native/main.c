/* SPDX-License-Identifier: Apache-2.0 */
/* native TRACE ROUNDS: plays a trace so often, and prints the best round and what was answered. */
#define _POSIX_C_SOURCE 200809L
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ALLOC, FREE };
/* Of the tables. The rights of a mapping stand above its kind. */
enum { MAP, UNMAP, WALK, KIND = 3, KIND_BITS = 2 };

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

static int32_t *slots;

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
static uint32_t play_pages(const struct operation *at, const struct operation *end, uint32_t sum)
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
		if ((at->kind & KIND) == MAP)
			sum = fold(sum, tables_map(at->a, at->b, at->c, at->kind >> KIND_BITS));
		else if (at->kind == UNMAP)
			sum = fold(sum, tables_unmap(at->a, at->b));
		else
			sum = fold(sum, tables_walk(at->a));
	}
	return sum;
}

static uint32_t play_iova(const struct operation *at, const struct operation *end, uint32_t sum)
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

static const struct layer {
	void (*init)(const struct machine *machine);
	void (*reset)(void);
	uint32_t (*play)(const struct operation *at, const struct operation *end, uint32_t sum);
	uint32_t (*digest)(uint32_t sum);
} LAYERS[] = {
	{ pages_init, pages_reset, play_pages, pages_digest },
	{ tables_init, tables_reset, play_tables, tables_digest },
	{ iova_init, iova_reset, play_iova, iova_digest },
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Plays a trace once. Returns what was answered, and what was left. */
static uint32_t run(const struct header *header, const struct operation *operations, double *spent)
{
	const struct layer *layer = &LAYERS[header->layer];
	const struct operation *warm = operations + header->warm;
	uint32_t sum;
	double start;

	layer->reset();
	sum = layer->play(operations, warm, 0);
	start = now();
	sum = layer->play(warm, operations + header->count, sum);
	*spent = now() - start;
	return layer->digest(sum);
}

int main(int argc, char **argv)
{
	struct header header;
	struct operation *operations;
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
	LAYERS[header.layer].init(&header.machine);
	for (int round = 0, rounds = atoi(argv[2]); round < rounds; round++) {
		double spent;
		uint32_t sum = run(&header, operations, &spent);

		if (round > 0 && sum != checksum)
			fail("two rounds differ");
		if (round == 0 || spent < best)
			best = spent;
		checksum = sum;
	}
	printf("{\"nanoseconds\":%.3f,\"checksum\":%u}\n", best / (header.count - header.warm), checksum);
	return 0;
}
