/**
 * A call with more than one critical section. It stops between them, at switch points that are numbered from 1, and
 * others may run; what it returns is what the call returns. Suspended calls are in no store and in no snapshot.
 */
export type Steps = Generator<number, number, void>;
