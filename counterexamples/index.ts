/** Cases: what they are, and how they are read and written. */
export { readCase } from './case.ts';
export { CaseError } from './error.ts';
export { nearest, suggest } from './near.ts';
export type { Case, CaseFinding, Expectation, Origin, Property } from './types.ts';
export { caseFileOf, scopeOf, VERDICTS, type Verdict } from './verdicts.ts';
export { writeCase } from './write.ts';
