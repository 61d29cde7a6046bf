/** How long a viewer watched and paused, and how often they acted. */

import type { State } from '../types.ts';
import type { Engagement as Totals } from '../wire/event.ts';

/** Running totals of one view. */
export class Engagement {
  acts = 0;
  _spent: { [state in State]?: number } = {};
  _state: State = 'idle';
  _since: number;

  /** Begins at a moment (ms of the monotonic clock). */
  constructor(at: number) {
    this._since = at;
  }

  /** The view is in another state, or still in the same, at a moment. */
  changed(state: State, at: number): void {
    this._spent[this._state] = (this._spent[this._state] || 0) + Math.max(0, at - this._since);
    this._state = state;
    this._since = Math.max(at, this._since);
  }

  /** The totals up to a moment. */
  at(at: number): Totals {
    this.changed(this._state, at);
    const { playing = 0, paused = 0 } = this._spent;
    return {
      totalWatchTime: Math.round(playing),
      totalPauseTime: Math.round(paused),
      interactionCount: this.acts,
    };
  }
}
