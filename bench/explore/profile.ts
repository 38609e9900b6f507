/** Where time goes: samples of the profiler of Node, by part. What is inlined counts where it was written. */
import { type Profiler, Session } from 'node:inspector/promises';

/** A part, and what belongs to it: the first that matches a sample's `file:function` has it. */
export type Part = readonly [name: string, matches: RegExp];

/** Share of each part, from 0 to 1, in their order; what none of them has is last. */
export async function profile(parts: readonly Part[], run: () => unknown): Promise<readonly number[]> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  await run();
  const { profile: made } = await session.post('Profiler.stop');
  session.disconnect();
  return sharesOf(parts, made);
}

function sharesOf(
  parts: readonly Part[],
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
): number[] {
  const partOf = new Map(
    nodes.map(({ id, callFrame: { url, functionName } }) => {
      const place = `${url.replace(/^.*\/dist\//, '')}:${functionName}`;
      const part = parts.findIndex(([, matches]) => matches.test(place));
      return [id, part < 0 ? parts.length : part];
    }),
  );
  const spent = new Array<number>(parts.length + 1).fill(0);
  for (const [at, id] of samples.entries()) {
    const part = partOf.get(id) ?? parts.length;
    spent[part] = (spent[part] ?? 0) + (timeDeltas[at] ?? 0);
  }
  const total = spent.reduce((sum, time) => sum + time, 0);
  return spent.map((time) => time / total);
}
