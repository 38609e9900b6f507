/** One call with one fault: what it must not change, and what it may answer. The target goes back afterwards. */
import type { Call, Reply, Spec, Stateful, Target } from '../model/index.ts';
import { causeOf, type Finding } from './finding.ts';
import type { Lockstep } from './lockstep.ts';
import type { Faults } from './script.ts';

/** How target and specification get back to where they are. */
export interface Return {
  mark(): void;
  back(): void;
  /** Does something to the specification, which goes back at once. */
  aside<T>(act: () => T): T;
}

export class FaultTrial<M, S extends Stateful> {
  readonly #spec: Spec<M, S>;
  readonly #target: Target<M>;
  readonly #return: Return;

  constructor(spec: Spec<M, S>, target: Target<M>, back: Return) {
    this.#spec = spec;
    this.#target = target;
    this.#return = back;
  }

  /**
   * What is wrong, if the fault fired.
   *
   * @param call - as the specification knows it; `sent` is the same as the target does
   */
  run(
    lockstep: Lockstep<M, S>,
    machine: M,
    at: number,
    call: Call,
    sent: Call,
    fail: Faults,
  ): Finding | 'not fired' | undefined {
    const own = { ...call, fail };
    this.#return.mark();
    try {
      const reply = this.#target.apply({ ...sent, fail });
      const isFired = Object.keys(fail).some((site) => reply.fired?.includes(site) === true);
      const wrong = isFired ? this.#judge(lockstep, at, own, reply) : undefined;
      const isWhole = isFired && wrong === undefined && 'errno' in reply;
      const left = isWhole ? this.#leftBy(lockstep, machine, at, own, reply) : undefined;
      this.#return.back();
      if (!isFired) return 'not fired';
      const isAnyway = wrong !== undefined && this.#isWrongAnyway(lockstep, at, call, sent);
      const finding = isAnyway ? undefined : (wrong ?? left);
      if (finding === undefined) this.#target.observe(lockstep.shown);
      return finding;
    } catch (cause) {
      const crash = { kind: 'crash', serves: 'P1', clause: 'crash', detail: causeOf(cause) } as const;
      return lockstep.finding(at, own, crash);
    }
  }

  /** Holds an answer against the rule, and where the call went on, the views against each other; and goes back. */
  #judge(lockstep: Lockstep<M, S>, at: number, call: Call, reply: Reply): Finding | undefined {
    if ('errno' in reply) return lockstep.judge(at, call, reply);
    const wrong = this.#return.aside(
      () => lockstep.judge(at, call, reply) ?? lockstep.look(at, call, reply, this.#target),
    );
    lockstep.lookAgain();
    return wrong;
  }

  /** What is shown after a call that failed, against what was shown before it. */
  #leftBy(lockstep: Lockstep<M, S>, machine: M, at: number, call: Call, reply: Reply): Finding | undefined {
    const before = lockstep.shown.columns.map((column) => column.slice());
    this.#target.observe(lockstep.shown);
    const left = this.#spec.leftBehind?.(before, lockstep.shown, machine);
    return left && lockstep.finding(at, call, { kind: 'pair', ...left }, reply);
  }

  /** Without a fault the answer is wrong as well: that is not for this property to say. */
  #isWrongAnyway(lockstep: Lockstep<M, S>, at: number, call: Call, { op, args }: Call): boolean {
    this.#return.mark();
    const wrong = this.#judge(lockstep, at, call, this.#target.apply({ op, args }));
    this.#return.back();
    return wrong !== undefined;
  }
}
