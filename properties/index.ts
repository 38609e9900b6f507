/** The engine: scripts, generation, lockstep, shrinking, search. It knows specifications and targets, not Node. */
export * from './campaign.ts';
export * from './choices.ts';
export * from './draw.ts';
export * from './drive.ts';
export * from './finding.ts';
export * from './generate.ts';
export * from './interleave.ts';
export type { Shows } from './lockstep.ts';
export { machineOf } from './machine.ts';
export { compile, type Step } from './program.ts';
export * from './script.ts';
export { isScript, scripts } from './script-arbitrary.ts';
export type { Pass } from './shrink/pass.ts';
export { candidates, EXECUTIONS_MAX, PASSES, type Shrunk, shrink } from './shrink/shrink.ts';
export * from './stepper.ts';
export * from './tally.ts';
export * from './views.ts';
