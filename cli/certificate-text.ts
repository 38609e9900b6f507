/** Whether a case is the shortest, in words. */
import type { Certificate } from '../properties/index.ts';
import { many } from './table.ts';

/** Names what was searched: other calls and other values may make a shorter one. */
export function certificateText(certificate: Certificate): string {
  if (certificate.result === 'undecided')
    return `whether a shorter one shows it is not decided: ${reasonOf(certificate)}`;
  const { states } = certificate;
  return `shortest possible with its calls and values on its machine: proven, ${many(states, 'state')}`;
}

export const reasonOf = ({
  states,
  reason = `not within ${many(states, 'state')}`,
}: Extract<Certificate, { readonly result: 'undecided' }>): string => reason;
