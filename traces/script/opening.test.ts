import * as assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { SPEC } from '../../model/index.ts';
import { runScript, Stepper } from '../../properties/index.ts';
import { builtin } from '../../targets/builtin.ts';
import { bytesOf } from '../read/line.ts';
import { TraceParser } from '../read/parse.ts';
import { writeEvent } from '../write.ts';
import { Opening } from './opening.ts';
import { scriptOfEvents } from './script.ts';
import { verdictOf } from './verdict.ts';

const FIXTURES = new URL('../../../traces/fixtures/', import.meta.url);
const FILES = readdirSync(FIXTURES).filter((name) => /(ftrace|report|script)\.txt\.gz$/.test(name));
/** Few, for it is a test of every change: `check-trace --script FILE --events 1000` makes longer ones. */
const EVENTS = 200;
/** Of so many events one is compared. */
const EVERY = 5;

const linesOf = (file: string): readonly string[] =>
  gunzipSync(readFileSync(new URL(file, FIXTURES)))
    .toString('latin1')
    .split('\n');

describe('recorded traces', function () {
  this.timeout(20_000);

  for (const file of FILES)
    it(`${file} begins with a script that the specification and builtin hold on`, () => {
      const opening = new Opening(EVENTS);
      for (const line of linesOf(file)) {
        const bytes = bytesOf(line);
        opening.read(bytes, 0, bytes.length - 1);
      }
      const events = opening.end();
      assert.ok(events.length >= 100 && events.length <= EVENTS, String(events.length));
      const told = scriptOfEvents(events);
      assert.ok(told.script.commands.length >= 100, String(told.script.commands.length));
      assert.equal(verdictOf(told), undefined);
      const target = builtin();
      assert.equal(runScript(new Stepper(SPEC, target, undefined, true), target, told.script), undefined);
    });

  it('are written as they are read', () => {
    let count = 0;
    const parser = new TraceParser();
    const again = new TraceParser();
    for (const file of FILES)
      for (const line of linesOf(file)) {
        const event = parser.parse(line);
        if (event === undefined || event.line % EVERY !== 0) continue;
        const read = again.parse(writeEvent(event));
        assert.deepEqual({ ...read, line: 0 }, { ...event, line: 0 }, line);
        count += 1;
      }
    assert.ok(count > 4000, String(count));
  });
});
