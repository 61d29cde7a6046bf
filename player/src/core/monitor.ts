/** A measured player: ties the machine, its views, the transport and the page together. */

import { createTransport } from '../transport/transport.ts';
import type { Adapter, Config, Consent, Fields, Host, Monitor, Report, Transport, Video } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import { agreed } from './consent.ts';
import { Engagement } from './engagement.ts';
import { guardWith, reportTo } from './guard.ts';
import { forget, identify, type Ids } from './ids.ts';
import { listener } from './listener.ts';
import { Machine } from './machine.ts';
import { merge, View } from './view.ts';

/** Makes the transport of a monitor; a test gives its own. */
export type MakeTransport = (config: Config, report: (report: Report) => void) => Transport;

const HEARTBEAT_MS = 10_000;
/** The server believes a state this long without being told of a slower heartbeat. */
const BELIEVED_MS = 30_000;
/** Events an idle player may tell before play intent; more are not kept. */
const HELD_MAX = 200;
/** Kinds that leave at once; `STOP` is always followed by a flush. */
const TELLING = /^(PLAY|BUF|ENDED|VIS)/;
/** Kinds that say nothing of the state: they carry no samples and no heartbeat waits for them. */
const ASIDE = /^(REQ|CUSTOM|AD_RE|VIEW)/;
/** States in which silence would be taken for absence. */
const COUNTS = /^(starting|pl|reb|see|ad)/;
/** What is forgotten with the video. */
const OF_VIDEO = ['videoId', 'videoTitle', 'streamType', 'durationSec', 'quality'] as const;

const now = (): number => performance.now();

/** Begins to measure: the adapters fasten players to it. */
export function createMonitor(config: Config, adapters: Adapter[]): Monitor {
  return createMonitorWith(createTransport, config, adapters);
}

/** As `createMonitor`, with a transport of one's own. */
export function createMonitorWith(makeTransport: MakeTransport, config: Config, adapters: Adapter[]): Monitor {
  const report = reportTo(config.onReport);
  const guard = guardWith(report);
  const page = listener(guard);
  const samplers: ((fields: Fields) => void)[] = [];
  const facts: Fields = {};
  /** Facts that the view was not told yet. */
  let news: Fields;
  let mode: Consent;
  let ids: Ids;
  let transport: Transport | undefined;
  let machine: Machine;
  let view: View;
  /** What was told before play intent: it goes out with it, or never. */
  let held: [Kind, number, Fields, number | undefined][] | undefined;
  let timer: ReturnType<typeof setTimeout>;
  let engagement: Engagement;
  let undo: ReturnType<Adapter>[];

  function remember(fields: Fields): void {
    merge(facts, fields, news);
    machine.end = /live/.test(facts.streamType!) ? Infinity : facts.durationSec || Infinity;
  }

  function send(kind: Kind, at: number, fields: Fields, position?: number): void {
    if (held) {
      if (machine.state === 'idle' && !/PLAY$|PLAYING|ERROR/.test(kind)) {
        if (held.length < HELD_MAX) held.push([kind, at, fields, position]);
        return;
      }
      const before = held;
      held = undefined;
      before.forEach((event) => send(...event));
    }
    const all: Fields = {};
    if (!ASIDE.test(kind)) {
      samplers.forEach((fill) => fill(all));
      rearm();
    }
    if (/^(HEART|STOP|END)/.test(kind)) all.engagement = engagement.at(at);
    merge(all, news);
    merge(all, fields);
    news = {};
    const { viewerId, sessionId } = ids;
    const whose = { ...(viewerId && { viewerId }), sessionId };
    const event = view.event(kind, at, { ...all, ...whose }, position, Date.now() - now());
    ids.touch(event.timestamp);
    guard(() => config.onEvent?.(event))();
    // Who is about to leave sends by beacon, with all that waits.
    transport?.put(event, TELLING.test(kind) && !document.hidden);
  }

  function rearm(): void {
    clearTimeout(timer);
    timer = setTimeout(
      guard(() => {
        if (COUNTS.test(machine.state)) tell('HEARTBEAT', { state: machine.state });
        else rearm();
      }),
      config.heartbeatMs || HEARTBEAT_MS,
    );
  }

  /** Something happened now; the page or the monitor itself says so. */
  function tell(kind: Kind, fields?: Fields): void {
    machine.take(kind, now(), NaN, fields);
  }

  /** Begins a view that nobody has asked to play yet. */
  function begin(): void {
    const { hidden } = document;
    const { rate } = machine ?? { rate: 1 };
    if (!ids.touch(Date.now())) ids = identify(config, mode);
    view = new View();
    news = { ...facts, ...(hidden && { hidden }) };
    held = [];
    engagement = new Engagement(now());
    machine = new Machine(send, (state, at) => engagement.changed(state, at));
    machine.rate = rate;
    machine.hidden = hidden;
    tell('VIEW_INIT');
  }

  /** Ends the view and begins the next; one that was never asked to play goes on. */
  function renew(leaving?: boolean): boolean {
    const began = !held;
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
    for (const key of OF_VIDEO) {
      delete facts[key];
      delete news[key];
    }
    update({ video: video ?? {} });
  }

  function update({ video, cdn, experiment, variant, custom }: Parameters<Monitor['update']>[0]): void {
    const { id: videoId, title: videoTitle, streamType, durationSec } = video ?? {};
    remember({ videoId, videoTitle, streamType, durationSec, cdn, experiment, variant, custom } as Fields);
  }

  function agree(asked: Consent | undefined): void {
    mode = agreed(config, asked);
    if (mode === 'none') forget();
    ids = identify(config, mode);
    transport = mode === 'none' ? undefined : makeTransport({ ...config, consent: mode }, report);
    begin();
  }

  function host(): Host {
    return {
      config,
      now,
      take(kind, fields = {}, position, at = now()) {
        if (kind === 'PLAY' && machine.state === 'ended' && config.replayIsNewView) begin();
        // What comes with a hint goes out with the next event.
        if (/^(PLAYING|BUF)/.test(kind)) merge(news, fields);
        machine.take(kind, at, position, fields);
      },
      progress: (position, rate, at = now()) => machine.progress(at, position, rate),
      remember,
      sample: (fill) => void samplers.push(guard(fill)),
      source: () => next(),
      listen: page.listen,
      every: page.every,
      guard: guard as Host['guard'],
      viewId: () => view.id,
    };
  }

  function watchPage(): void {
    page.listen(document, 'visibilitychange', () => {
      const { hidden } = document;
      if (held) news.hidden = machine.hidden = hidden;
      else tell('VISIBILITY', { hidden });
      if (hidden) void transport?.flush(true);
    });
    // A page that comes back out of the browser's cache begins another view: nobody watched meanwhile.
    page.listen(window, 'pagehide', () => void renew(true));
  }

  function face(): Monitor {
    return {
      get viewId() {
        return view.id;
      },
      get sessionId() {
        return ids.sessionId;
      },
      get viewerId() {
        return ids.viewerId;
      },
      get state() {
        return machine.state;
      },
      update: guard(update),
      next: guard(next),
      event: guard((name, data) => tell('CUSTOM', { custom: { ...data, event: name } })),
      error: guard((error) => tell('PLAYER_ERROR', { error })),
      ad: guard((kind, ad) => tell(kind, ad && { ad })),
      interaction: guard(() => void engagement.acts++),
      consent: guard((asked) => {
        end();
        transport?.close(asked === 'none');
        agree(asked);
      }),
      flush: async () => transport?.flush(),
      destroy: guard(() => {
        end(true);
        undo.forEach((call) => call && guard(call)());
        page.release();
        transport?.close();
        transport = undefined;
        clearTimeout(timer);
      }),
    };
  }

  agree(config.consent);
  update(config);
  if (config.heartbeatMs! * 2 > BELIEVED_MS) remember({ heartbeatIntervalMs: config.heartbeatMs! });
  watchPage();
  undo = adapters.map((adapter) => guard(adapter)(host()));
  return face();
}
