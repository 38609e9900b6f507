/** `node ours.js NAME ROUNDS`: one contender so often, the best round; `node ours.js NAME`, where its time goes. */
import { CONTENDERS } from './contenders.ts';
import { PARTS } from './parts.ts';
import { profile } from './profile.ts';

const [, , name = '', rounds] = process.argv;
const search = CONTENDERS[name];
if (search === undefined) throw new Error(`there is no ${name}`);

if (rounds === undefined) process.stdout.write(JSON.stringify(await profile(PARTS, search)));
else {
  let best = Number.POSITIVE_INFINITY;
  let wall = Number.POSITIVE_INFINITY;
  let outcome = {};
  for (let round = 0; round < Number(rounds); round++) {
    const [cpu, clock] = [process.cpuUsage(), performance.now()];
    outcome = await search();
    const { user, system } = process.cpuUsage(cpu);
    best = Math.min(best, (user + system) / 1e6);
    wall = Math.min(wall, (performance.now() - clock) / 1e3);
  }
  process.stdout.write(JSON.stringify({ ...outcome, seconds: best, wall }));
}
