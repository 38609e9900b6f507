/**
 * `node dist/bench/traces/rates.js [SEEDS] [drivers]`: how often each corruption leads to what is expected of it, as a
 * table; with `drivers` where no event of an IOMMU is in the trace.
 */
import { EXPECTATIONS, judged, ofDrivers, systemTrace } from './expectations.ts';

const seeds = Number(process.argv[2] ?? 20);
console.log('| what is wrong | expected, or surer | found | found that is not so |');
console.log('| --- | --- | --- | --- |');
const expectations = process.argv[3] === 'drivers' ? EXPECTATIONS.map(ofDrivers) : EXPECTATIONS;
for (const expectation of expectations) {
  const { name, checks, systems, least = 'certain', most } = expectation;
  let [traces, found, wrong] = [0, 0, 0];
  for (const system of systems)
    for (let seed = 0; seed < seeds; seed++) {
      const outcome = judged(systemTrace(system, seed), expectation, seed);
      if (outcome === undefined) continue;
      traces += 1;
      found += outcome.expected === undefined ? 0 : 1;
      wrong += outcome.wrong.length > 0 ? 1 : 0;
    }
  const expected =
    checks.length === 0 ? 'nothing' : `${checks.map((c) => `\`${c}\``).join(' or ')}, ${least}`;
  const rate = checks.length === 0 ? '' : `${found} of ${traces}`;
  const surplus = most === 'certain' ? 'not judged' : `in ${wrong} of ${traces}`;
  console.log(`| ${name} | ${expected} | ${rate} | ${surplus} |`);
}
