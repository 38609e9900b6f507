/** `node ours.js TRACE ROUNDS`: what the C program prints, of our own implementation. */
import { readFileSync } from 'node:fs';
import { Player } from './player.ts';
import { decode } from './trace.ts';

const [, , file = '', rounds = '1'] = process.argv;
const trace = decode(new Int32Array(new Uint8Array(readFileSync(file)).buffer));
process.stdout.write(JSON.stringify(new Player(trace).play(Number(rounds))));
