/** Things by small number, in the order of numbers: a list while they are few, an array with a place for each then. */

/** Most tables of what is scattered have one thing or two; one with all places costs some kilobytes. */
const FEW = 8;

export class Numbered<T> {
  readonly #places: number;
  /** In order; undefined where each number has its place. */
  #numbers: number[] | undefined = [];
  #things: (T | undefined)[] = [];
  #count = 0;

  /** @param places - numbers are below that */
  constructor(places: number) {
    this.#places = places;
  }

  get count(): number {
    return this.#count;
  }

  get(number: number): T | undefined {
    const numbers = this.#numbers;
    if (numbers === undefined) return this.#things[number];
    for (let at = 0; at < numbers.length; at += 1) if (numbers[at] === number) return this.#things[at];
    return undefined;
  }

  /** Something with a number that has nothing yet. */
  insert(number: number, thing: T): void {
    this.#count += 1;
    if (this.#numbers === undefined) this.#things[number] = thing;
    else if (this.#count > FEW) this.#spread(this.#numbers, number, thing);
    else {
      const later = this.#numbers.findIndex((each) => each > number);
      const at = later < 0 ? this.#numbers.length : later;
      this.#numbers = this.#numbers.toSpliced(at, 0, number);
      this.#things = this.#things.toSpliced(at, 0, thing);
    }
  }

  remove(number: number): void {
    this.#count -= 1;
    if (this.#numbers === undefined) this.#things[number] = undefined;
    else {
      const at = this.#numbers.indexOf(number);
      this.#numbers.splice(at, 1);
      this.#things.splice(at, 1);
    }
  }

  /** The first number from one on that has something; the number of places if none has. */
  next(from: number): number {
    if (this.#numbers !== undefined) return this.#numbers.find((each) => each >= from) ?? this.#places;
    for (let at = from; at < this.#places; at += 1) if (this.#things[at] !== undefined) return at;
    return this.#places;
  }

  #spread(numbers: readonly number[], number: number, thing: T): void {
    const all = new Array<T | undefined>(this.#places).fill(undefined);
    for (const [at, each] of numbers.entries()) all[each] = this.#things[at];
    all[number] = thing;
    this.#numbers = undefined;
    this.#things = all;
  }
}
