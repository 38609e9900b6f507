/** 64 bits that tell states apart. */
export type Fingerprint = readonly [low: number, high: number];

/**
 * A fingerprint as tables keep it. It is spread over all bits, one to one, however a system numbers its states. No half
 * is zero, which marks a free place: fingerprints that differ in this alone are one in 2^31.
 */
export function spread([low, high]: Fingerprint): Fingerprint {
  const upper = high ^ scramble(low);
  const lower = low ^ scramble(upper + 0x9e3779b9);
  return [lower || 1, upper || 1];
}

export const isSame = (one: Fingerprint, other: Fingerprint): boolean =>
  one[0] === other[0] && one[1] === other[1];

/** Of two systems as one. Where both always have the same fingerprint, that of the two tells as much apart. */
export function join(one: Fingerprint, [low, high]: Fingerprint): Fingerprint {
  const [lower, upper] = spread(one);
  return [lower ^ low, upper ^ high];
}

/** The place among so many where a fingerprint is looked for first. It grows with the lower half. */
export const placeOf = (low: number, places: number): number => Math.floor(((low >>> 0) * places) / 2 ** 32);

/** Each bit of what is given flips half of the bits of what is returned (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * The chance that among so many states some two have the same fingerprint, if fingerprints are as good as random. Then
 * one of them passes for visited, and neither it nor what only it leads to has been seen.
 *
 * @param bits - of a fingerprint
 */
export function collisionOdds(states: number, bits = 64): number {
  const pairs = (states * (states - 1)) / 2;
  return -Math.expm1(-pairs / 2 ** bits);
}
