/** `node dist/bench/traces/rates.js [SEEDS]`: how often each corruption leads to what is expected of it. */
import { EXPECTATIONS, judged, systemTrace } from './expectations.ts';

const seeds = Number(process.argv[2] ?? 20);
for (const expectation of EXPECTATIONS)
  for (const system of expectation.systems) {
    const outcomes = Array.from({ length: seeds }, (_, seed) =>
      judged(systemTrace(system, seed), expectation, seed),
    ).filter((outcome) => outcome !== undefined);
    const found = outcomes.filter(({ expected }) => expected !== undefined).length;
    const wrong = outcomes.flatMap((outcome) => outcome.wrong);
    const kinds = [...new Set(wrong.map(({ check, confidence }) => `${confidence} ${check}`))];
    const expected = expectation.checks.length === 0 ? '' : `${found} of ${outcomes.length} found, `;
    console.log(
      `${expectation.name}, ${system}: ${expected}${wrong.length} wrong (${outcomes.length} traces) ${kinds.join(', ')}`,
    );
    const [first] = wrong;
    if (first !== undefined) console.log(`    ${first.text}`);
  }
