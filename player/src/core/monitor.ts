/** A measured player: ties the machine, its views, the transport and the page together. */

import { createTransport } from '../transport/transport.ts';
import type { Adapter, Config, Consent, Fields, Host, Monitor, State, Transport, Video } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import { agreed } from './consent.ts';
import { createEngagement, type Engagement } from './engagement.ts';
import { guardWith, reportTo, type Tell } from './guard.ts';
import { forget, identify, type Ids } from './ids.ts';
import { listener } from './listener.ts';
import { createMachine } from './machine.ts';
import type { Machine } from './signal.ts';
import { createView, merge, type View } from './view.ts';

/** Makes the transport of a monitor; a test gives its own. */
export type MakeTransport = (config: Config, tell: Tell) => Transport;

const HEARTBEAT_MS = 10_000;
/** The server believes a state this long without being told of a slower heartbeat. */
const BELIEVED_MS = 30_000;
/** Kinds that leave at once; `STOP` is always followed by a flush. */
const TELLING = /^(PLAY|BUF|ENDED|VIS)/;
/** Kinds that say nothing of the state: they carry no samples and no heartbeat waits for them. */
const ASIDE = /^(REQ|CUSTOM|AD_RE|VIEW)/;
/** States in which silence would be taken for absence: `starting`, `playing`, `rebuffering`, `seeking`, ads. */
const COUNTS = /ing|ad/;
/** What is forgotten with the video. */
const OF_VIDEO = ['videoId', 'videoTitle', 'streamType', 'durationSec'] as const;

const now = (): number => Math.round(performance.now());

/** Begins to measure: the adapters fasten players to it. */
export function createMonitor(config: Config, adapters: Adapter[]): Monitor {
  return createMonitorWith(config, adapters);
}

/** As `createMonitor`, with a transport of one's own. */
export function createMonitorWith(config: Config, adapters: Adapter[], makeTransport: MakeTransport = createTransport): Monitor {
  const report = reportTo(config.onReport);
  const guard = guardWith(report);
  const { listen, every, _undo: undo } = listener(guard);
  const samplers: ((fields: Fields) => void)[] = [];
  const facts: Fields = {};
  const stage = { _rate: 1, _end: Infinity, _hidden: false };
  let news: Fields; // facts that the view was not told yet
  let mode: Consent;
  let ids: Ids;
  let transport: Transport | undefined;
  let state: State = 'idle';
  let take: Machine;
  let view: View;
  let timer: ReturnType<typeof setInterval>;
  let engaged: Engagement;
  let acts: number; // of the viewer

  function remember(fields: Fields): void {
    merge(facts, fields, news);
    stage._end = /live/.test(facts.streamType!) ? Infinity : facts.durationSec || Infinity;
  }

  function send(kind: Kind, at: number, fields: Fields, position?: number): void {
    const all: Fields = {};
    if (!ASIDE.test(kind)) {
      samplers.forEach((fill) => fill(all));
      rearm();
    }
    if (/^(HEART|STOP|END)/.test(kind)) all.engagement = { ...engaged(at), interactionCount: acts };
    merge(all, news);
    merge(all, fields);
    const event = view._event(kind, at, { ...all, ...ids._who }, position, Date.now() - now());
    ids._touch(event.timestamp);
    // Who is about to leave sends by beacon, with all that waits.
    if (transport?.put(event, TELLING.test(kind) && !document.hidden) === false) return;
    view._seq++;
    news = {};
    guard(() => config.onEvent?.(event))();
  }

  function rearm(): void {
    clearInterval(timer);
    timer = setInterval(
      guard(() => {
        if (COUNTS.test(state)) tell('HEARTBEAT', { state });
      }),
      config.heartbeatMs || HEARTBEAT_MS,
    );
  }

  /** Something happened now; the page or the monitor itself says so. */
  function tell(kind: Kind, fields?: Fields): void {
    take(kind, now(), NaN, fields);
  }

  /** Begins a view that nobody has asked to play yet. */
  let begin = (): void => {
    const { hidden } = document;
    if (!ids._touch(Date.now())) ids = identify(config, mode);
    view = createView();
    news = { ...facts, ...(hidden && { hidden }) };
    engaged = createEngagement(now());
    acts = 0;
    state = 'idle';
    stage._hidden = hidden;
    take = createMachine(stage, send, (next, at) => engaged(at, (state = next)));
    tell('VIEW_INIT');
  };

  /** Ends the view and begins the next; one that was never asked to play goes on. */
  function renew(leaving?: boolean): boolean {
    const began = state !== 'idle';
    end(leaving);
    if (began) begin();
    return began;
  }

  function end(leaving?: boolean): void {
    tell('STOP');
    void transport?.flush(leaving);
  }

  /** Another video in the same player. */
  function next(video?: Video): void {
    if (!renew() && !video) return;
    forgetFacts(OF_VIDEO);
    update({ video: video ?? {} });
  }

  function forgetFacts(keys: readonly (keyof Fields)[]): void {
    for (const key of keys) {
      delete facts[key];
      delete news[key];
    }
  }

  function update({ video, cdn, experiment, variant, custom }: Parameters<Monitor['update']>[0]): void {
    const { id: videoId, title: videoTitle, ...more } = video ?? {};
    remember({ videoId, videoTitle, ...more, cdn, experiment, variant, custom } as Fields);
  }

  let agree = (asked: Consent | undefined): void => {
    mode = agreed(config, asked);
    if (mode !== 'full') forget();
    ids = identify(config, mode);
    begin();
    transport = mode === 'none' ? undefined : makeTransport({ ...config, consent: mode }, report);
  };

  /** What the adapters get. */
  function host(): Host {
    return {
      config,
      now,
      take(kind, fields = {}, position, at = now()) {
        if (kind === 'PLAY' && state === 'ended' && config.replayIsNewView) begin();
        // What comes with a hint goes out with the next event.
        if (/^(PLAYING|BUF)/.test(kind)) merge(news, fields);
        take(kind, at, position, fields);
      },
      progress: (position, playbackRate, at = now()) => take('RATE_CHANGE', at, position, { playbackRate }),
      remember,
      sample: (fill) => void samplers.push(guard(fill)),
      source() {
        if (state !== 'idle') forgetFacts(['quality']);
        next();
      },
      listen,
      every,
      guard,
      viewId: () => view._id,
    };
  }

  function watchPage(): void {
    listen(document, 'visibilitychange', () => {
      const { hidden } = document;
      if (state === 'idle') news.hidden = stage._hidden = hidden;
      else tell('VISIBILITY', { hidden });
      if (hidden) void transport?.flush(true);
    });
    // A page that comes back out of the browser's cache begins another view: nobody watched meanwhile.
    listen(window, 'pagehide', () => void renew(true));
  }

  const start = guard(() => {
    agree(config.consent);
    update(config);
    if (config.heartbeatMs! * 2 > BELIEVED_MS) remember({ heartbeatIntervalMs: config.heartbeatMs! });
    watchPage();
    const own = host();
    // The first fastens the element: without it the others have nothing to tell of.
    for (const adapter of adapters) undo.push(adapter(own) || (() => 0));
  });

  /** What the page gets. */
  function face(): Monitor {
    return {
      get viewId() {
        return view?._id ?? '';
      },
      get sessionId() {
        return ids?._who.sessionId ?? '';
      },
      get viewerId() {
        return ids?._who.viewerId ?? '';
      },
      get state() {
        return state;
      },
      update: guard(update),
      next: guard(next),
      event: guard((name, data) => tell('CUSTOM', { custom: { ...data, event: name } })),
      error: guard((error) => tell('PLAYER_ERROR', { error })),
      ad: guard((kind, ad, error) => tell(kind, { ad, error } as Fields)),
      interaction: guard(() => void acts++),
      consent: guard((asked) => {
        const wanted = agreed(config, asked);
        // What was agreed to leaves by beacon, for nothing of it may be kept; who refuses sends no more.
        tell('STOP');
        if (wanted !== 'none') void transport?.flush(true);
        transport?.close(wanted !== 'full');
        agree(asked);
      }),
      flush: guard(async () => transport?.flush()) as Monitor['flush'],
      destroy: guard(() => {
        end(true);
        undo.forEach((call) => guard(call)());
        transport?.close();
        transport = undefined;
        clearInterval(timer);
        // Whoever still holds it begins nothing more.
        take = begin = agree = () => {};
      }),
    };
  }

  start();
  return face();
}
