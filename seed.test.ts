import * as fc from 'fast-check';

const { IONCLAD_SEED } = process.env;

/** The same properties on the same inputs on every machine: another seed is asked for by name. */
const SEED = IONCLAD_SEED === undefined ? 2012 : Number(IONCLAD_SEED);

fc.configureGlobal({ seed: SEED });

before(() => {
  if (IONCLAD_SEED !== undefined) console.log(`  properties run with seed ${SEED}`);
});
