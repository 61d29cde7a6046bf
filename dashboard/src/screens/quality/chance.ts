/** What a p-value says, in words. */

import { decimal } from '../../format.ts';

const REAL = 0.001;
const LIKELY = 0.05;

/** Return a sentence about how often chance alone makes such a difference. */
export function chance(p: number): string {
  if (p < REAL) return 'Chance alone hardly ever makes such a difference (less than 1 in 1,000): it is real.';
  if (p < LIKELY) return `Chance alone makes such a difference about once in ${Math.round(1 / p)} times: it is probably real.`;
  return `Chance alone makes such a difference in ${decimal(100 * p)} of 100 cases: it may well be chance.`;
}
