/** Buttons for all that keys do, a field to look for mappings, and what the colours mean. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Bar } from '../traces/report.ts';
import type { Command } from './keys.ts';
import { isMeant } from './search.ts';
import { count } from './text.ts';

const BUTTONS: readonly (readonly [Command, string, string])[] = [
  ['in', '+', 'Nearer in time (+ or w)'],
  ['out', '−', 'Farther in time (- or s)'],
  ['earlier', '←', 'Earlier (← or a)'],
  ['later', '→', 'Later (→ or d)'],
  ['up', '↑', 'Higher addresses (↑)'],
  ['down', '↓', 'Lower addresses (↓)'],
  ['rows-in', '⇕+', 'Larger rows (shift ↑)'],
  ['rows-out', '⇕−', 'Smaller rows (shift ↓)'],
  ['whole', 'all', 'The whole trace (0)'],
  ['previous-finding', '◁ finding', 'Previous finding (p)'],
  ['next-finding', 'finding ▷', 'Next finding (n)'],
  ['previous-mapping', '◁ mapping', 'Mapping made before ([)'],
  ['next-mapping', 'mapping ▷', 'Mapping made next (])'],
  ['to-picked', 'fit', 'Fit the time to what was picked (f)'],
];

export function Tools({ act }: { readonly act: (command: Command) => void }): VNode {
  return (
    <span class="buttons">
      {BUTTONS.map(([command, text, title]) => (
        <button key={command} type="button" title={title} aria-label={title} onClick={() => act(command)}>
          {text}
        </button>
      ))}
    </span>
  );
}

export function Legend({ isLossy }: { readonly isLossy: boolean }): VNode {
  return (
    <>
      <span class="legend">
        <i class="mapped" /> mapped <i class="mapped-to-end" /> not unmapped <i class="allocated" /> allocated{' '}
        <i class="wrong" /> free while mapped
        {isLossy && (
          <>
            {' '}
            <i class="lost" /> events lost
          </>
        )}
      </span>
      <span class="hint">
        Drag or wheel zooms, shift+wheel moves, alt+wheel zooms rows, double click shows all
      </span>
    </>
  );
}

interface FinderProps {
  readonly bars: readonly Bar[];
  readonly onPick: (bar: number) => void;
}

/** Enter goes to the next mapping that is meant, in the order of the trace. */
export function Finder({ bars, onPick }: FinderProps): VNode {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(-1);
  const hits = bars.flatMap((bar, index) => (isMeant(bar, query) ? [index] : []));
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    const next = hits[(at + 1) % Math.max(hits.length, 1)];
    if (next === undefined) return;
    setAt((at + 1) % hits.length);
    onPick(next);
  };
  const told = at < 0 ? count(hits.length) : `${count(at + 1)} of ${count(hits.length)}`;
  return (
    <search>
      <form onSubmit={onSubmit}>
        <label>
          Find{' '}
          <input
            type="search"
            placeholder="address, frame, device, task"
            value={query}
            onInput={(event) => {
              setQuery(event.currentTarget.value);
              setAt(-1);
            }}
          />
        </label>{' '}
        <output>{query !== '' && told}</output>
      </form>
    </search>
  );
}
