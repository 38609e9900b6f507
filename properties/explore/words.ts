/** Integers that several threads may share. */
export type Words = Int32Array<SharedArrayBuffer>;

export const sharedWords = (count: number): Words => new Int32Array(new SharedArrayBuffer(4 * count));
