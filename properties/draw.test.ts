import { expect } from 'chai';
import type { ArgShape } from '../model/index.ts';
import { type Choices, everyChoice, SeededChoices } from './choices.ts';
import { drawArguments, type Environment } from './draw.ts';
import type { Argument } from './script.ts';

const LIMITS = { pageBytes: 64, lineBytes: 16, pages: 4, lines: 3, end: 640 };

/** Two results of each kind, which places start at. */
const environment = (more: Partial<Environment> = {}): Environment => ({
  limits: LIMITS,
  reference: ([kind]) => `${kind}1`,
  place: ([kind = ''], offset) => ({ in: `${kind}1`, offset }),
  ...more,
});

const drawn = (choices: Choices, arg: ArgShape, more: Partial<Environment> = {}): Argument | undefined =>
  drawArguments(choices, { layer: '', by: 'user', text: '', args: { arg } }, environment(more))?.['arg'];

/** Everything that an enumeration draws. */
const all = (arg: ArgShape, few: number): (Argument | undefined)[] =>
  Array.from(everyChoice(), (choices) => drawn(choices, arg, { few }));

/** What 2,000 samples draw. */
function samples(arg: ArgShape): Argument[] {
  const choices = new SeededChoices(1, 0);
  return Array.from({ length: 2000 }, () => drawn(choices, arg) ?? expect.fail('nothing was drawn'));
}

const share = <T>(list: readonly T[], holds: (value: T) => boolean): number =>
  list.filter(holds).length / list.length;

describe('drawing words', () => {
  const words: ArgShape = { is: 'words', of: ['iommu', 'system', 'contig'] };

  it('has every single word and all of them in an enumeration', () => {
    const every = [['iommu'], ['system'], ['contig'], ['iommu', 'system', 'contig']];
    expect(all(words, 1)).to.deep.equal(every);
    expect(all(words, 9)).to.deep.equal(every);
  });

  it('has every subset in samples, single words mostly, and none now and then', () => {
    const lists = samples(words) as string[][];
    const subsets = new Set(lists.map((list) => list.join()));
    expect([...subsets].sort()).to.deep.equal([
      '',
      'contig',
      'iommu',
      'iommu,contig',
      'iommu,system',
      'iommu,system,contig',
      'system',
      'system,contig',
    ]);
    expect(share(lists, (list) => list.length === 1)).to.be.within(0.8, 0.9);
    expect(share(lists, (list) => list.length === 0)).to.be.within(0.02, 0.05);
    for (const word of words.of)
      expect(
        share(lists, (list) => list.join() === word),
        word,
      ).to.be.within(0.23, 0.34);
  });

  it('has one word of each in turn, the first of three or more the more often', () => {
    const one: ArgShape = { is: 'word', of: ['both', 'read', 'write'] };
    expect(all(one, 1)).to.deep.equal(['both', 'read', 'write']);
    expect(share(samples(one), (word) => word === 'both')).to.be.within(0.55, 0.65);
    const two: ArgShape = { is: 'word', of: ['yes', 'no'] };
    expect(share(samples(two), (word) => word === 'yes')).to.be.within(0.45, 0.55);
  });
});

describe('drawing places', () => {
  const place: ArgShape = { is: 'address', of: ['map'], step: 'lineBytes', to: 'lines' };

  it('passes on which side is meant', () => {
    const sides: (string | undefined)[] = [];
    const note = { place: (_kinds: unknown, offset: number, side?: 'cpu') => sides.push(side) + offset };
    const choices = new SeededChoices(1, 0);
    for (const arg of [place, { ...place, side: 'cpu' } as const]) drawn(choices, arg, note);
    expect(sides).to.deep.equal([undefined, 'cpu']);
  });

  it('has offsets of whole steps, as many as there are, or few', () => {
    const offsets = (list: readonly (Argument | undefined)[]): number[] => [
      ...new Set(list.map((each) => (each as { offset: number }).offset)),
    ];
    expect(offsets(all(place, 9))).to.deep.equal([0, 16, 32]);
    expect(offsets(all(place, 2))).to.deep.equal([0, 16]);
    expect(offsets(samples(place)).sort((a, b) => a - b)).to.deep.equal([0, 16, 32]);
  });

  it('has addresses that no result names, only where they are wild, and not in an enumeration', () => {
    const wild: ArgShape = { ...place, wild: 'end' };
    expect(all(wild, 9).every((each) => typeof each === 'object')).to.equal(true);
    const numbers = samples(wild).filter((each) => typeof each === 'number');
    expect(numbers.length / 2000).to.be.within(0.09, 0.16);
    for (const at of numbers) expect([at % 16, at >= 0 && at <= 640]).to.deep.equal([0, true]);
    expect(numbers).to.include.members([0, 320, 624, 640]);
    expect(share(numbers, (at) => at === 640) - share(numbers, (at) => at === 320)).to.be.above(0.05);
    expect(samples(place).some((each) => typeof each === 'number')).to.equal(false);
  });
});

describe('drawing numbers', () => {
  const bytes: ArgShape = {
    is: 'number',
    from: 1,
    to: 'pages',
    unit: 'pageBytes',
    ragged: true,
    odd: [0, '0xffffffffffffffff'],
  };

  it('has whole units in their range in an enumeration, and nothing odd', () => {
    expect(all(bytes, 9)).to.deep.equal([64, 128, 192, 256]);
    expect(all(bytes, 2)).to.deep.equal([64, 128]);
  });

  it('has any number of the last unit in samples, and what is odd now and then', () => {
    const values = samples(bytes);
    for (const odd of bytes.odd ?? [])
      expect(share(values, (value) => value === odd)).to.be.within(0.015, 0.05);
    const plain = values.filter((value): value is number => typeof value === 'number' && value !== 0);
    for (const value of plain) expect(value).to.be.within(1, 256);
    expect(share(plain, (value) => value % 64 === 0)).to.be.within(0.4, 0.6);
  });
});

describe('drawing modestly, what a result is wanted of', () => {
  const modest = (arg: ArgShape): Argument[] => {
    const choices = new SeededChoices(1, 0);
    const every = Array.from({ length: 500 }, () => drawn(choices, arg, { modest: true }));
    return [...new Set(every.map((value) => JSON.stringify(value)))]
      .sort()
      .map((text) => JSON.parse(text ?? ''));
  };

  it('has one or two units, and nothing ragged or odd', () => {
    const bytes: ArgShape = { is: 'number', from: 1, to: 8, unit: 'pageBytes', ragged: true, odd: [0, -1] };
    expect(modest(bytes)).to.deep.equal([128, 64]);
    expect(modest({ ...bytes, to: 1 })).to.deep.equal([64]);
  });

  it('has one word of several, any of them', () => {
    expect(modest({ is: 'words', of: ['a', 'b'] })).to.deep.equal([['a'], ['b']]);
    expect(modest({ is: 'word', of: ['a', 'b'] })).to.deep.equal(['a', 'b']);
  });
});

describe('drawing the arguments of a call', () => {
  it('starts with the last, and keeps their order', () => {
    const asked: string[] = [];
    const args: Record<string, ArgShape> = {
      context: { is: 'ref', of: ['context'] },
      handle: { is: 'ref', of: ['handle'], consumes: true },
    };
    const given = environment({
      reference([kind = ''], consumes) {
        asked.push(`${kind} ${consumes}`);
        return kind;
      },
    });
    const values = drawArguments(new SeededChoices(1, 0), { layer: '', by: 'user', text: '', args }, given);
    expect(asked).to.deep.equal(['handle true', 'context false']);
    expect(Object.entries(values ?? {})).to.deep.equal([
      ['context', 'context'],
      ['handle', 'handle'],
    ]);
  });

  it('has none where something to refer to is missing', () => {
    const list: ArgShape = { is: 'refs', of: ['block'], most: 3 };
    const nothing = { reference: () => undefined, place: () => undefined };
    const one: ArgShape = { is: 'ref', of: ['block'] };
    const place: ArgShape = { is: 'address', of: ['block'], step: 'pageBytes', to: 'pages' };
    for (const arg of [one, list, place])
      expect(drawn(new SeededChoices(1, 0), arg, nothing), arg.is).to.equal(undefined);
    expect(drawn(new SeededChoices(1, 0), list), 'each once').to.deep.equal(['block1']);
  });
});
