/** Where ids stand in the store of the built-in implementation, as its columns say. */
import type { Store } from '../impl/store.ts';
import type { Renamable } from '../model/target.ts';

export const renamable = (store: () => Store): Renamable => ({
  roles: () => store().abouts.map(([{ base, count }, about]) => ({ first: base, count, ...about })),
  listen(heard) {
    store().attachJournal().heard = heard;
  },
});
