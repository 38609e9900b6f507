/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same algorithms as three layers of impl/, in plain C: what a kernel would be without locks, and without
 * what impl/ does beside them (bounds, journal, columns for observers, faults). Measured against impl/ on the
 * same operations; both must give the same answers.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the machine is built, in the order of a trace's header. */
struct machine {
	int32_t pages;
	int32_t order_max;
	int32_t reserve;
	int32_t parked;
	int32_t page_shift; /* words of a page of RAM as a power of two */
	int32_t io_pages;
	int32_t table_bits;
	int32_t reserved_io_pages;
};

/* Answers are folded into one number, the same in TypeScript. */
static inline uint32_t fold(uint32_t sum, int32_t value)
{
	return sum * 31 + (uint32_t)value;
}

/* Zeroed memory that stays until the end of the process. */
void *get_memory(size_t count, size_t size);

/* pages.c */
void pages_init(const struct machine *machine);
void pages_reset(void);
int32_t pages_take(int32_t order);
void pages_free(int32_t page, int32_t order);
void pages_own(int32_t page, int32_t count, uint8_t owner);
int32_t alloc_block(int32_t order);
void free_block(int32_t page);
uint32_t pages_digest(uint32_t sum);

/* tables.c */
void tables_init(const struct machine *machine);
void tables_reset(void);
int32_t tables_map(int32_t io_page, int32_t page, int32_t count, int32_t rights);
int32_t tables_unmap(int32_t io_page, int32_t count);
int32_t tables_walk(int32_t io_page);
uint32_t tables_digest(uint32_t sum);

/* iova.c */
void iova_init(const struct machine *machine);
void iova_reset(void);
int32_t iova_allocate(int32_t count);
void iova_free(int32_t first, int32_t count);
uint32_t iova_digest(uint32_t sum);

enum { OWNER_NONE = 0, OWNER_BLOCK = 2, OWNER_TABLE = 5 };

#endif
