/** What the machine counted of a view, by the same rules as the server's view row. Not part of the core's size. */

import type { Fields, State } from '../types.ts';
import type { Kind, WireEvent } from '../wire/event.ts';

/** One state, from one moment to another (ms of the machine's clock). */
export type Interval = [state: State, from: number, to: number];

/** A pause this short before an ad break or the end is theirs, not the viewer's. */
const PAUSE_SIDE_EFFECT_MS = 1_000;
/** Scrubs in a pause that follow each other faster than this are one seek. */
const SEEK_COALESCE_MS = 1_000;
const INTERVALS_MAX = 2_000;

/** The counts at one moment. Names and units are those of the server's view row. */
export interface Counts {
  state: State;
  /** From play intent to the first frame; null: no frame yet, or its begin was not seen. */
  startup_ms: number | null;
  starting_ms: number;
  playing_ms: number;
  rebuffer_count: number;
  rebuffer_ms: number;
  pause_count: number;
  pause_ms: number;
  seek_count: number;
  seek_ms: number;
  ad_ms: number;
  ad_rebuffer_ms: number;
  ad_count: number;
  upshifts: number;
  downshifts: number;
  bitrate_kbps: number | null;
  errors: number;
  warnings: number;
  /** The newest 2,000 states; the sums know all. */
  intervals: Interval[];
}

/** Counts what a machine says: give it the machine's `out` and `changed`, or the events of one view. */
export class Tally {
  private counts = fresh();
  private sums = new Map<State, number>();
  private since = NaN;
  private intentAt = NaN;
  private soughtAt = NaN;
  private hiddenAt = NaN;
  /** Time between intent and first frame that was no waiting: hidden, as pauses are. */
  private apartMs = 0;
  private adRuns = false;
  private contentStarted = false;
  private held = false;
  private inBreak = false;
  private breakNamed = false;
  private over = false;

  /** An event as it was sent (`Config.onEvent`); moments are ms since the view began. */
  follow(event: WireEvent): void {
    const { monotonicMs = 0, timestamp, buffering, startupMs } = event;
    // What is told late is told at the moment of the event before it; these say when it was.
    const told = buffering?.endedAt ?? buffering?.startedAt ?? NaN;
    const begun = startupMs === undefined ? NaN : this.intentAt + startupMs;
    const at = [told - timestamp + monotonicMs, begun].find((moment) => moment >= 0) ?? monotonicMs;
    const ran = this.adRuns;
    const was = this.counts.state;
    this.out(event.eventType, at, event);
    if (/^AD_/.test(event.eventType)) this.followAd(event.eventType, at, ran);
    else this.enter(this.stateAfter(event, was), at);
  }

  /** An event as the machine gave it out. */
  out(kind: Kind, at: number, fields: Fields): void {
    const { counts } = this;
    if (fields.startupMs !== undefined) counts.startup_ms ??= fields.startupMs;
    if (fields.hidden !== undefined) this.seen(at, fields.hidden);
    if (kind === 'PLAY' && !(this.intentAt >= 0)) this.intentAt = at;
    else if (kind === 'PLAYING') this.started(at);
    else if (kind === 'SEEK_START') this.sought(at);
    else if (kind === 'SEEK_END') this.soughtAt = at;
    else if (kind === 'PLAYER_ERROR') this.failed(fields);
    else if (/^AD_/.test(kind)) this.ad(kind);
    if (fields.quality?.bitrateKbps) this.shift(fields.quality.bitrateKbps);
  }

  /** A change of state, as the machine gave it out. */
  changed(state: State, at: number): void {
    const { counts } = this;
    let was = counts.state;
    const length = at - this.since;
    if (/^(ad|ended)/.test(state) && was === 'paused' && length <= PAUSE_SIDE_EFFECT_MS) {
      counts.pause_count--;
      was = this.contentStarted ? 'playing' : 'starting';
    }
    this.contentStarted ||= state === 'playing';
    if (length > 0) {
      this.sums.set(was, (this.sums.get(was) ?? 0) + length);
      counts.intervals.push([was, this.since, at]);
      if (counts.intervals.length > INTERVALS_MAX) counts.intervals.shift();
    }
    if (state === 'rebuffering') counts.rebuffer_count++;
    if (state === 'paused' && was !== 'seeking') counts.pause_count++;
    counts.state = state;
    this.since = at;
  }

  /** The counts at a moment of the machine's clock; the open state is counted until then. */
  at(now: number): Counts {
    const open = Math.max(0, now - this.since) || 0;
    const sum = (state: State): number =>
      (this.sums.get(state) ?? 0) + (this.counts.state === state ? open : 0);
    return {
      ...this.counts,
      intervals: [...this.counts.intervals],
      starting_ms: sum('starting'),
      playing_ms: sum('playing'),
      rebuffer_ms: sum('rebuffering'),
      pause_ms: sum('paused'),
      seek_ms: sum('seeking'),
      ad_ms: sum('ad'),
      ad_rebuffer_ms: sum('ad_rebuffering'),
    };
  }

  private started(at: number): void {
    const { counts } = this;
    if (counts.startup_ms === null && this.intentAt >= 0) {
      const paused = this.sums.get('paused') ?? 0;
      counts.startup_ms = at - this.intentAt - paused - this.apartMs;
    }
    counts.warnings += counts.errors; // it plays on: the error was none that ends a view
    counts.errors = 0;
  }

  private seen(at: number, hidden: boolean): void {
    if (!hidden && this.counts.state === 'starting') this.apartMs += at - Math.max(this.hiddenAt, this.intentAt) || 0;
    this.hiddenAt = hidden ? at : NaN;
  }

  private enter(state: State | undefined, at: number): void {
    if (state && state !== this.counts.state) this.changed(state, at);
  }

  /** The state that an event of the machine leaves behind; none: the one before. */
  private stateAfter({ eventType: kind, state, error }: WireEvent, was: State): State | undefined {
    const content = this.contentStarted ? 'playing' : 'starting';
    if (kind === 'PLAY' || kind === 'PAUSE') this.held = kind === 'PAUSE';
    switch (kind) {
      case 'PLAY':
        if (was === 'seeking') return undefined;
        if (was === 'failed') return 'starting';
        return this.inBreak && this.counts.startup_ms !== null ? 'ad' : content;
      case 'PLAYING':
        this.contentStarted = true;
        this.inBreak = this.adRuns = false;
        return 'playing';
      case 'PAUSE':
        return was === 'seeking' ? undefined : 'paused';
      case 'BUFFER_START':
        return was === 'ad' ? 'ad_rebuffering' : 'rebuffering';
      case 'BUFFER_END':
        return was === 'ad_rebuffering' ? 'ad' : 'playing';
      case 'SEEK_START':
        this.held = was === 'paused';
        return 'seeking';
      case 'SEEK_END':
        return this.held ? 'paused' : 'playing';
      case 'ENDED':
        this.over = this.inBreak;
        return 'ended';
      case 'STOP':
        return state as State;
      case 'PLAYER_ERROR':
        return error?.fatal && was !== 'ended' ? 'failed' : undefined;
      default:
        return undefined;
    }
  }

  private followAd(kind: Kind, at: number, ran: boolean): void {
    const begins = kind === 'AD_BREAK_START';
    const over = /_(END|SKIP|ERROR)$/.test(kind) && kind !== 'AD_BREAK_END';
    const started = this.contentStarted || this.counts.ad_count > 0;
    if (begins || (this.adRuns && !this.inBreak)) {
      this.over = this.counts.state === 'ended';
      this.inBreak = true;
      this.breakNamed = begins;
      this.enter(started ? 'ad' : 'starting', at);
    }
    if (!this.inBreak) return;
    if (kind === 'AD_BREAK_END' || (over && ran && !this.breakNamed)) {
      this.inBreak = this.adRuns = false;
      this.enter(this.over ? 'ended' : this.contentStarted ? 'playing' : 'starting', at);
    } else if (kind === 'AD_PAUSE') this.enter('paused', at);
    else if (this.adRuns || (over && ran)) this.enter('ad', at);
  }

  private sought(at: number): void {
    const scrubs = this.counts.state === 'paused' && at - this.soughtAt <= SEEK_COALESCE_MS;
    if (!scrubs) this.counts.seek_count++;
  }

  private failed(fields: Fields): void {
    if (!fields.error?.fatal) this.counts.warnings++;
    else if (this.counts.state !== 'failed') this.counts.errors++;
  }

  private ad(kind: Kind): void {
    if (kind === 'AD_ERROR') this.counts.warnings++;
    if (/START$|QUARTILE|MIDPOINT|RESUME/.test(kind) && kind !== 'AD_BREAK_START') {
      this.counts.ad_count += this.adRuns ? 0 : 1;
      this.adRuns = true;
    } else if (/END|SKIP|ERROR/.test(kind)) this.adRuns = false;
  }

  private shift(kbps: number): void {
    const { counts } = this;
    if (counts.bitrate_kbps !== null && kbps > counts.bitrate_kbps) counts.upshifts++;
    if (counts.bitrate_kbps !== null && kbps < counts.bitrate_kbps) counts.downshifts++;
    counts.bitrate_kbps = kbps;
  }
}

function fresh(): Counts {
  return {
    state: 'idle', startup_ms: null, starting_ms: 0, playing_ms: 0, rebuffer_count: 0, rebuffer_ms: 0,
    pause_count: 0, pause_ms: 0, seek_count: 0, seek_ms: 0, ad_ms: 0, ad_rebuffer_ms: 0, ad_count: 0,
    upshifts: 0, downshifts: 0, bitrate_kbps: null, errors: 0, warnings: 0, intervals: [],
  }; // prettier-ignore
}
