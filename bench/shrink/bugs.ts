/** The bugs whose failures are shrunk, and where the failures come from. */
import { SPEC } from '../../model/index.ts';
import {
  type Finding,
  identityOf,
  runSchedule,
  runScript,
  type Script,
  Scripts,
  SeededChoices,
  type Shrunk,
  Stepper,
  shortest,
} from '../../properties/index.ts';
import { type Bug, infect, ZOO } from '../../targets/zoo/index.ts';

/** A bug with the finding that is looked for: a bug may show as several. */
export interface Subject {
  readonly bug: Bug;
  /** Layer of the finding; undefined: whatever is found first. */
  readonly layer?: string;
  readonly only?: readonly string[];
}

const GPU = [
  'gpu_context_create',
  'gpu_context_destroy',
  'gpu_bind',
  'gpu_unbind',
  'gpu_submit',
  'tick_engine',
];
const BUFFERS = ['ion_client_create', 'ion_client_destroy', 'ion_alloc', 'ion_free'];

/** Three of fragmentation, a chain of handles, a fault, a preemption, and others of all layers. */
const TEN: readonly (readonly [name: string, only?: readonly string[], layer?: string])[] = [
  ['contiguous-only'],
  ['no-vmalloc-fallback'],
  ['kmalloc-takes-two'],
  ['first-free-ends-the-handle', [...BUFFERS, 'ion_share', 'ion_import', 'fd_dup', 'fd_close', 'fd_send']],
  ['chunks-left-behind'],
  ['late-reference', [...BUFFERS, ...GPU.slice(0, 4)], 'ion'],
  ['stale-iotlb', [...BUFFERS, ...GPU, 'device_read', 'device_write'], 'gpu'],
  ['addresses-back-before-the-flush'],
  ['no-sync-at-submit'],
  ['free-first-page-only', ['alloc_pages', 'free_pages', 'split_page', 'kmalloc', 'kfree', 'drain']],
];

export const SUBJECTS: readonly Subject[] = TEN.map(([name, only, layer]) => {
  const bug = ZOO.find((each) => each.name === name);
  if (bug === undefined) throw new Error(`the zoo has no bug ${name}`);
  const calls = only ?? bug.only;
  return { bug, ...(calls === undefined ? {} : { only: calls }), ...(layer === undefined ? {} : { layer }) };
});

/** All bugs that a plain script shows. */
export const WHOLE_ZOO: readonly Subject[] = ZOO.filter(({ property }) => property === undefined).map(
  (bug) => ({
    bug,
    ...(bug.only === undefined ? {} : { only: bug.only }),
  }),
);

export interface Failure {
  readonly script: Script;
  readonly finding: Finding;
}

/** A bug under test: what a script shows, and the first script of a seed that shows it. */
export class Hunt {
  readonly subject: Subject;
  readonly #target: ReturnType<typeof infect>;
  readonly #stepper: Stepper<never, never>;

  constructor(subject: Subject) {
    this.subject = subject;
    this.#target = infect(subject.bug);
    this.#stepper = new Stepper(SPEC, this.#target) as unknown as Stepper<never, never>;
  }

  /** Without a schedule it may be a plain script. */
  readonly run = (script: Script): Finding | undefined => {
    const stepper = this.#stepper as never;
    return script.schedule === undefined
      ? runScript(stepper, this.#target, script)
      : runSchedule(stepper, this.#target, script);
  };

  /** What was shrunk, or what a search found shorter still, and whether that is the shortest. */
  shortest(shrunk: Shrunk): Shrunk {
    const property = this.subject.bug.property ?? 'lockstep';
    return shortest(SPEC, this.#target, { property }, shrunk, this.run);
  }

  /** The first script of a seed that shows what is looked for. */
  failure(seed: number): Failure | undefined {
    const { bug, only, layer } = this.subject;
    const source = new Scripts(SPEC, seed, only === undefined ? {} : { only: new Set(only) });
    for (let index = 0; index < SCRIPTS_MAX; index++) {
      const drawn = source.at(index);
      const script = bug.property === 'schedule' ? scheduled(drawn, new SeededChoices(seed, index)) : drawn;
      const finding = this.run(script);
      if (finding?.serves === bug.catches && (layer === undefined || finding.layer === layer))
        return { script, finding };
    }
    return undefined;
  }
}

const SCRIPTS_MAX = 20_000;

/** The script with two actors, and every other binding preempted. */
function scheduled(script: Script, choices: SeededChoices): Script {
  const commands = script.commands.map((command) =>
    choices.below(2) === 0 ? command : { ...command, actor: 'b' },
  );
  const bindings = commands.filter(({ op, as }) => op === 'gpu_bind' && as !== undefined);
  const schedule = bindings
    .filter(() => choices.below(2) === 0)
    .map(({ as = '', actor }) => ({ in: as, point: 1, to: actor === undefined ? 'b' : 'main' }));
  return { ...script, commands, schedule };
}

/** What is the same for all that is compared: only scripts with the same finding have a shortest one. */
export const groupOf = ({ finding }: Failure): string => identityOf(finding);
