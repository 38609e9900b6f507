/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The toy of toy.ts for SPIN: spin -a -o2 -DPAGES=4 toy.pml, then a C compiler on pan.c.
 * -o2: SPIN would else leave out what no condition reads. What must hold is an option of the loop, so that it is asked
 * once in each state. Columns are laid out as in toy.ts: by client and page, and by client and slot.
 */
#ifndef PAGES
#define PAGES 4
#endif

bit held[2 * PAGES];
byte mapped[4]; /* the page plus one */
bit cached[4];
byte uses[PAGES];

#define SLOT_IS_WRONG(s) ((mapped[s] > 0 && uses[mapped[s] - 1] == 0) || (cached[s] && mapped[s] == 0))

#define OF_HANDLE(c, p) \
	:: d_step { uses[p] == 0 -> held[(c) * PAGES + p] = 1; uses[p] = 1 } \
	:: d_step { held[(c) * PAGES + p] -> held[(c) * PAGES + p] = 0; uses[p]-- } \
	:: d_step { held[(c) * PAGES + p] && !held[(1 - (c)) * PAGES + p] -> \
		held[(1 - (c)) * PAGES + p] = 1; uses[p]++ } \
	OF_MAPPING(c, (c) * 2, p) \
	OF_MAPPING(c, (c) * 2 + 1, p)

#define OF_MAPPING(c, s, p) \
	:: d_step { mapped[s] == 0 && held[(c) * PAGES + p] -> mapped[s] = p + 1; uses[p]++ }

#define OF_SLOT(s) \
	:: d_step { mapped[s] > 0 -> uses[mapped[s] - 1]--; mapped[s] = 0; cached[s] = 0 } \
	:: d_step { mapped[s] > 0 -> cached[s] = 1 }

#define OF_PAGE(p) OF_HANDLE(0, p) OF_HANDLE(1, p)

active proctype toy()
{
	do
	OF_PAGE(0)
#if PAGES > 1
	OF_PAGE(1)
#endif
#if PAGES > 2
	OF_PAGE(2)
#endif
#if PAGES > 3
	OF_PAGE(3)
#endif
#if PAGES > 4
	OF_PAGE(4)
#endif
	OF_SLOT(0)
	OF_SLOT(1)
	OF_SLOT(2)
	OF_SLOT(3)
	:: SLOT_IS_WRONG(0) || SLOT_IS_WRONG(1) || SLOT_IS_WRONG(2) || SLOT_IS_WRONG(3) -> assert(false)
	od
}
