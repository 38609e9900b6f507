/**
 * What of the state may be renamed: clients, contexts, devices and so on are told apart by their ids alone. New ones
 * get the lowest free id, so a renamed state is not always reached; but what comes of it is the same but for names.
 */
import type { Column } from './column.ts';
import type { Machine } from './machine.ts';
import type { Bounds, Sort, Symmetry } from './spec.ts';
import type { Digit, Naming, Role } from './target.ts';
import type { World } from './world.ts';

type ColumnName = {
  [Name in keyof World]: World[Name] extends Column ? Name : never;
}[keyof World];

type About = Pick<Role, 'index' | 'value'>;

const from = (first: number, ...digits: readonly Digit[]): Naming => ({ from: first, digits });
const by = (...digits: readonly Digit[]): About => ({ index: from(0, ...digits) });

/** What each column is about. Where pages come in blocks of several, blocks have the names, not pages. */
function aboutsOf({ machine, ioPages, linesPerPage, sgPagesMax }: World): Record<ColumnName, About> {
  const block = 2 ** machine.orderMax;
  const wordsPerPage = machine.pageBytes / 8;
  const page: About = by('page', block);
  const pageNumber: About = { value: from(1, 'page', block) };
  const context: About = { value: from(1, 'context') };
  const device: About = { value: from(1, 'device') };
  const entry: About = { ...by('context', ioPages), value: from(4, 'page', 4 * block) };
  const handle = by('client', ['handle', machine.handles + 1]);
  const user: About = { index: from(machine.vmallocPages, 'client', machine.userPages) };
  const table = by('table');
  const listed = by('table', sgPagesMax);
  const job = by('job');
  return {
    kind: page,
    head: { ...page, ...pageNumber },
    index: page,
    refs: page,
    line: by('page', block * linesPerPage),
    reach: entry,
    client: by('client'),
    context: by('context'),
    handle: { ...handle, ...pageNumber },
    bound: { ...by('context', ioPages), ...pageNumber },
    job,
    device: { ...by('device'), ...context },
    fd: { ...by('client', ['fd', machine.fds]), ...pageNumber },
    mapped: { ...user, value: from(2, 'page', 2 * block) },
    stale: entry,
    handleCount: handle,
    kernelMaps: handle,
    userMap: { ...by('client', machine.userPages), ...pageNumber },
    size: page,
    next: { ...page, ...pageNumber },
    held: {},
    movable: {},
    split: page,
    occupant: by('occupant'),
    occupantPages: by('occupant'),
    memory: by('page', block * wordsPerPage),
    covered: by('page', block * wordsPerPage),
    coveredWords: page,
    area: user,
    kernelMap: page,
    uncached: page,
    sgPages: table,
    sgPage: { ...listed, ...pageNumber },
    sgIoPage: listed,
    sgDomain: { ...table, ...context },
    sgDevice: { ...table, ...device },
    sgRights: table,
    coherentCpu: page,
    coherentIoPage: page,
    coherentDevice: { ...page, ...device },
    flushes: {},
    owner: { ...by('context'), value: from(1, 'client') },
    jobContext: { ...job, ...context },
    jobIoPage: job,
    jobLine: job,
    jobTag: job,
  };
}

/** Ids from `first` up to `end`, if one of the calls that make such things is made. */
function idsIf({ calls }: Bounds, makers: readonly string[], first: number, end: number): number[] {
  if (!makers.some((op) => calls.has(op))) return [];
  return Array.from({ length: end - first }, (_, at) => first + at);
}

/** An implementation goes through all things of a client in the order of their ids, and gives back what they held. */
const isOrdered = ({ alone, calls }: Bounds): boolean => !alone && calls.has('ion_client_destroy');

/**
 * A device may go through a domain by its number. Searches do not name domains so, but the one id that does not exist
 * of what they do name may be that of a domain.
 */
const namesDomains = ({ calls }: Bounds): boolean =>
  calls.has('iommu_domain_alloc') &&
  ['device_read', 'device_write', 'device_probe'].some((op) => calls.has(op));

/** A call that names page frames by number, and one that names devices so. */
const NAMES_PAGES = 'occupy';
const ATTACHES = 'iommu_attach_device';

/** Those devices that are named at all. */
const attachable = ({ values, few }: Bounds, ids: readonly number[]): readonly number[] =>
  values[ATTACHES]?.['device'] === undefined
    ? ids.slice(0, few)
    : ids.filter((id) => values[ATTACHES]?.['device']?.includes(id));

/** A CPU address that is given as a number is one of a certain client. */
const namesPlaces = ({ values }: Bounds): boolean =>
  ['cpu_read', 'cpu_write'].some((op) => values[op]?.['at']?.some((place) => typeof place === 'number'));

const SORTS: readonly Sort<Machine>[] = [
  {
    name: 'client',
    ids: ({ clients }, bounds) =>
      namesPlaces(bounds) ? [] : idsIf(bounds, ['ion_client_create'], 0, clients),
  },
  {
    name: 'context',
    ids({ contexts }, bounds) {
      if (bounds.calls.has('gpu_context_create') && isOrdered(bounds)) return [];
      if (namesDomains(bounds)) return [];
      return idsIf(bounds, ['iommu_domain_alloc', 'gpu_context_create'], 0, contexts);
    },
  },
  {
    name: 'device',
    ids: ({ devices }, bounds) => attachable(bounds, idsIf(bounds, [ATTACHES], 0, devices)),
  },
  { name: 'table', ids: ({ sgTables }, bounds) => idsIf(bounds, ['sg_alloc_table_from_pages'], 0, sgTables) },
  { name: 'job', ids: ({ jobs }, bounds) => idsIf(bounds, ['gpu_submit'], 0, jobs) },
  {
    name: 'handle',
    of: 'client',
    ids: ({ handles }, bounds) =>
      isOrdered(bounds) ? [] : idsIf(bounds, ['ion_alloc', 'ion_import'], 1, handles + 1),
  },
  {
    name: 'fd',
    of: 'client',
    ids: ({ fds }, bounds) =>
      isOrdered(bounds) ? [] : idsIf(bounds, ['ion_share', 'fd_dup', 'fd_send'], 0, fds),
  },
  { name: 'occupant', ids: ({ occupants }, bounds) => idsIf(bounds, ['occupy'], 0, occupants) },
  { name: 'page', ids: (machine, bounds) => (bounds.alone ? freeBlocks(machine, bounds) : []) },
];

/**
 * Blocks of the largest order that are free at boot. An implementation takes the lowest; where every choice is tried,
 * none is different from the others. Smaller blocks have neighbours with which they merge.
 */
function freeBlocks({ pages, orderMax, occupied }: Machine, { calls }: Bounds): number[] {
  if (calls.has(NAMES_PAGES)) return [];
  const size = 2 ** orderMax;
  const blocks = Array.from({ length: Math.floor(pages / size) }, (_, block) => block);
  const isFree = (block: number): boolean =>
    occupied.every(([first, count]) => first >= (block + 1) * size || first + count <= block * size);
  return blocks.filter(isFree);
}

export const SYMMETRY: Symmetry<Machine, World> = {
  sorts: SORTS,
  roles(s) {
    const names = Object.entries(aboutsOf(s)) as [ColumnName, About][];
    return names.map(([name, about]) => ({ first: s[name].base, count: s[name].count, ...about }));
  },
};
