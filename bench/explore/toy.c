/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy: the toy of toy.ts, searched breadth-first by a program that can do nothing else; -DPAGES=4. What search costs
 * where there is neither a specification beside it nor anything general. Prints states, transitions, depth, seconds of
 * CPU time. A state is told by 64 bits, as in our own search.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef PAGES
#define PAGES 4
#endif

enum { CLIENTS = 2, SLOTS = 2, PLACES = CLIENTS * SLOTS };

struct state {
	uint8_t held[CLIENTS][PAGES];
	uint8_t mapped[PLACES]; /* the page plus one */
	uint8_t cached[PLACES];
	uint8_t uses[PAGES];
};

/* How a state was reached first. */
struct origin {
	uint32_t parent;
	uint8_t move;
};

static uint64_t *table; /* 0: nothing */
static uint64_t mask;
static struct state *states;
static struct origin *origins;
static size_t count, capacity;
static uint64_t transitions;

static void *get(void *old, size_t number, size_t size)
{
	void *memory = realloc(old, number * size);

	if (!memory) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return memory;
}

static uint64_t fingerprint(const struct state *s)
{
	uint64_t words[(sizeof(*s) + 7) / 8] = { 0 };
	uint64_t hash = 0x9e3779b97f4a7c15;

	memcpy(words, s, sizeof(*s));
	for (size_t i = 0; i < sizeof(words) / 8; i++) {
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccd;
		hash ^= hash >> 32;
	}
	return hash ? hash : 1;
}

static void grow_table(void)
{
	uint64_t *old = table, old_size = mask + 1;

	mask = 2 * old_size - 1;
	table = get(NULL, mask + 1, sizeof(*table));
	memset(table, 0, (mask + 1) * sizeof(*table));
	for (uint64_t i = 0; i < old_size; i++) {
		uint64_t at = old[i] & mask;

		if (!old[i])
			continue;
		while (table[at])
			at = (at + 1) & mask;
		table[at] = old[i];
	}
	free(old);
}

static int is_new(uint64_t hash)
{
	uint64_t at = hash & mask;

	for (; table[at]; at = (at + 1) & mask)
		if (table[at] == hash)
			return 0;
	table[at] = hash;
	return 1;
}

static void check(const struct state *s)
{
	for (int i = 0; i < PLACES; i++) {
		if ((s->mapped[i] && !s->uses[s->mapped[i] - 1]) || (s->cached[i] && !s->mapped[i])) {
			fprintf(stderr, "slot %d is wrong\n", i);
			exit(1);
		}
	}
}

static void reach(const struct state *s, uint32_t parent, int move)
{
	if (!is_new(fingerprint(s)))
		return;
	check(s);
	if (count == capacity) {
		capacity *= 2;
		states = get(states, capacity, sizeof(*states));
		origins = get(origins, capacity, sizeof(*origins));
	}
	states[count] = *s;
	origins[count++] = (struct origin){ parent, (uint8_t)move };
	if (count * 2 > mask)
		grow_table();
}

/* Makes a move in the state, if it may be made. Returns whether it was. */
static int act(struct state *s, int kind, int client, int page, int slot)
{
	uint8_t *held = &s->held[client][page], *other = &s->held[1 - client][page];
	int place = client * SLOTS + slot;

	switch (kind) {
	case 0: /* alloc */
		return !s->uses[page] && (*held = 1, s->uses[page] = 1);
	case 1: /* drop */
		return *held && (*held = 0, s->uses[page]--, 1);
	case 2: /* share */
		return *held && !*other && (*other = 1, s->uses[page]++, 1);
	case 3: /* map */
		return *held && !s->mapped[place] && (s->mapped[place] = page + 1, s->uses[page]++, 1);
	case 4: /* unmap */
		if (!s->mapped[place])
			return 0;
		s->uses[s->mapped[place] - 1]--;
		s->mapped[place] = s->cached[place] = 0;
		return 1;
	default: /* access */
		return s->mapped[place] && (s->cached[place] = 1);
	}
}

static void try(uint32_t from, int *move, int kind, int client, int page, int slot)
{
	struct state s = states[from];

	if (act(&s, kind, client, page, slot)) {
		transitions++;
		reach(&s, from, *move);
	}
	++*move;
}

static void expand(uint32_t from)
{
	int move = 0;

	for (int client = 0; client < CLIENTS; client++) {
		for (int page = 0; page < PAGES; page++) {
			for (int kind = 0; kind < 3; kind++)
				try(from, &move, kind, client, page, 0);
			for (int slot = 0; slot < SLOTS; slot++)
				try(from, &move, 3, client, page, slot);
		}
		for (int slot = 0; slot < SLOTS; slot++) {
			try(from, &move, 4, client, 0, slot);
			try(from, &move, 5, client, 0, slot);
		}
	}
}

int main(void)
{
	size_t depth = 0, end = 1;
	struct timespec time;

	mask = 1023;
	table = get(NULL, mask + 1, sizeof(*table));
	memset(table, 0, (mask + 1) * sizeof(*table));
	capacity = 1024;
	states = get(NULL, capacity, sizeof(*states));
	origins = get(NULL, capacity, sizeof(*origins));
	reach(&(struct state){ 0 }, 0, 0);
	for (size_t at = 0; at < count; at++) {
		if (at == end) {
			end = count;
			depth++;
		}
		expand((uint32_t)at);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	printf("{\"states\":%zu,\"transitions\":%llu,\"depth\":%zu,\"seconds\":%.6f}\n", count,
	       (unsigned long long)transitions, depth, (double)time.tv_sec + (double)time.tv_nsec / 1e9);
	return 0;
}
