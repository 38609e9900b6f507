/** The parts of a search in lockstep, by the functions that do them. */
import type { Part } from './profile.ts';

export const PARTS: readonly Part[] = [
  ['garbage collection', /garbage collector/],
  [
    'views and invariants',
    /^(properties\/views|model\/(invariants|recounts|view)|targets\/(builtin-view|column-writer))|:observe$/,
  ],
  ['undo, journal, fingerprint', /^(model\/column|impl\/(journal|store|column|watch))|:(back|fingerprint)$/],
  ['moves: enumerated and named', /^properties\/explore\/moves|^model\/.*:(live|addresses)$/],
  [
    'search: visited set, ways to states',
    /^properties\/explore\/(search|expander|merge|round|fingerprint|visited|paths)/,
  ],
  ['implementation: calls', /^(impl|targets)\//],
  ['specification: rules and effects', /^(model\/|bench\/explore\/toy)/],
  ['lockstep: what holds both together', /^properties\//],
];
