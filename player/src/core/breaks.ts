/** Ad breaks in the machine. */

import type { Fields } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import type { Machine } from './machine.ts';

/** Takes an ad event: the content's clock stands in a break, and its stalls are its own. */
export function ad(m: Machine, at: number, position: number, fields: Fields, kind: Kind): void {
  const ran = m._adRuns;
  const begins = kind === 'AD_BREAK_START';
  const ends = kind === 'AD_BREAK_END';
  const over = /_(END|SKIP|ERROR)$/.test(kind) && !ends;
  const pauses = kind === 'AD_PAUSE';
  const runs = !(over || begins || ends || pauses);
  if (begins) m._arrive(at, position);
  if (m.state !== 'failed' && (runs || begins)) enter(m, at, begins);
  m._adRuns = runs || (!!ran && pauses);
  if (runs) m._frame(kind, at, fields);
  else m._emit(kind, at, fields);
  if (!m._inBreak) return;
  if (ends || (over && ran && !m._breakNamed)) {
    m._inBreak = m._adRuns = false;
    m._rebase(at);
    m._go(m._over ? 'ended' : m._contentStarted ? 'playing' : 'starting', at);
  } else if (runs || (over && ran)) m._go('ad', at);
  else if (pauses) m._go('paused', at);
}

function enter(m: Machine, at: number, named: boolean): void {
  if (m._inBreak) return;
  m._over = m.state === 'ended';
  m._intend(at);
  m._inBreak = true;
  m._breakNamed = named;
  m._waiting = false;
  m._go(m._started ? 'ad' : 'starting', at);
}
