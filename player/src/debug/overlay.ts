/** A small panel on the page: what was sent, and what the server said. */

import type { Config, Monitor, Report } from '../types.ts';
import type { WireEvent } from '../wire/event.ts';
import { clock, lineOf } from './lines.ts';

const LINES_MAX = 60;
const EVENTS_MAX = 8;
const LOOK_MS = 500;
/** A constructed sheet: a page's policy may forbid style elements. */
const STYLE = `
:host{all:initial;position:fixed;inset:auto 8px 8px auto;z-index:2147483647;width:min(440px,calc(100vw - 16px));
color-scheme:light dark;font:12px/1.45 ui-monospace,monospace}
section{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--edge:#d0d7de;--bad:#b42318;--good:#1a7f37;color:var(--ink);
background:var(--paper);border:1px solid var(--edge);border-radius:8px;box-shadow:0 4px 16px #0003;overflow:hidden}
@media(prefers-color-scheme:dark){section{--ink:#e6edf3;--soft:#9198a1;--paper:#151b23;--edge:#3d444d;--bad:#ff8d85;--good:#56d364}}
header{display:flex;align-items:center;gap:8px;padding:4px 4px 4px 12px;border-bottom:1px solid var(--edge)}
header b{flex:1}
button{all:unset;box-sizing:border-box;min-width:44px;min-height:36px;text-align:center;cursor:pointer;border-radius:6px}
button:hover{background:#8883}button:focus-visible{outline:2px solid}
.body{max-height:min(50vh,420px);overflow:auto;padding:8px 12px;overscroll-behavior:contain}
.folded .body{display:none}
p{margin:0 0 2px;overflow-wrap:anywhere}.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--good)}
.detail{padding-left:1.5em}hr{border:0;border-top:1px solid var(--edge);margin:6px 0}`;

/** A panel that is shown. */
export interface Overlay {
  /** Give this to the monitor: the same settings, heard by the panel as well. */
  readonly config: Config;
  /** The element on the page; its shadow root is open. */
  readonly element: HTMLElement;
  /** Shows this monitor's state and view as well. */
  show(monitor: Monitor): void;
  /** Takes the panel off the page. Measuring goes on. */
  close(): void;
}

/**
 * Shows a panel with everything a monitor sends. Its text is never read as HTML.
 *
 * ```ts
 * const panel = overlay({ endpoint: 'https://metrics.example.org' });
 * panel.show(monitor(video, panel.config));
 * ```
 */
export function overlay(config: Config, place: Element = document.body): Overlay {
  const panel = new Panel(place);
  const { onReport, onEvent } = config;
  return {
    config: {
      ...config,
      onReport: (report) => {
        panel.report(report);
        onReport?.(report);
      },
      onEvent: (event) => {
        panel.event(event);
        onEvent?.(event);
      },
    },
    element: panel.element,
    show: (monitor) => panel.show(monitor),
    close: () => panel.close(),
  };
}

class Panel {
  readonly element: HTMLElement = document.createElement('playhead-overlay');
  private readonly state = text('p', 'waiting for events', 'state');
  private readonly view = text('p', '', 'soft');
  private readonly held = text('p', '', 'soft');
  private readonly events = text('div');
  private readonly lines = text('div');
  private readonly section = text('section');
  private readonly waiting = new Set<string>();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(place: Element) {
    const root = this.element.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const header = text('header');
    const fold = button('–', 'Fold the panel', () => {
      const isFolded = this.section.classList.toggle('folded');
      fold.textContent = isFolded ? '+' : '–';
      fold.setAttribute('aria-expanded', String(!isFolded));
    });
    header.append(text('b', 'Playhead'), fold, button('×', 'Close the panel', () => this.close()));
    const body = text('div', '', 'body');
    body.tabIndex = 0;
    body.append(this.state, this.view, this.held, text('hr'), this.events, text('hr'), this.lines);
    this.section.setAttribute('aria-label', 'Playhead: what was sent');
    this.section.append(header, body);
    root.append(this.section);
    place.append(this.element);
  }

  show(monitor: Monitor): void {
    clearInterval(this.timer);
    const look = (): void => {
      this.state.textContent = `state ${monitor.state}`;
      this.view.textContent = `view ${monitor.viewId}`;
    };
    look();
    this.timer = setInterval(look, LOOK_MS);
  }

  event(event: WireEvent): void {
    const { eventType, seq, timestamp, state, viewId, playbackPositionSec: position } = event;
    if (!this.timer) {
      this.state.textContent = `state ${state ?? '?'}`;
      this.view.textContent = `view ${viewId ?? '?'}`;
    }
    const where = position === undefined ? '' : ` at ${position.toFixed(2)} s`;
    push(this.events, [text('p', `${clock(timestamp)} ${eventType} #${seq ?? '?'}${where}`)], EVENTS_MAX);
  }

  report(report: Report): void {
    this.count(report);
    if (report.what === 'queued') return; // the events are above
    const line = lineOf(report);
    const status = report.status ?? 0;
    const isBad = /fault|dropped|stopped|retry/.test(line.what) || (line.what === 'answer' && !(status < 300 && status));
    const mood = isBad ? 'bad' : line.what === 'answer' ? 'good' : '';
    const rows = line.details.map((detail) => text('p', detail, 'bad detail'));
    push(this.lines, [text('p', `${line.at} ${line.what} ${line.text}`, mood), ...rows], LINES_MAX);
  }

  close(): void {
    clearInterval(this.timer);
    this.element.remove();
  }

  /** Keeps count of what the server has not acknowledged. */
  private count({ what, events = [], status = 0 }: Report): void {
    const isIn = what === 'queued' || what === 'restored';
    const isOut = what === 'dropped' || what === 'kept' || (what === 'answer' && status >= 200 && status < 300);
    for (const { viewId, seq } of events) {
      if (isIn) this.waiting.add(`${viewId} ${seq}`);
      else if (isOut) this.waiting.delete(`${viewId} ${seq}`);
    }
    this.held.textContent = `${this.waiting.size} events held`;
  }
}

/** An element with plain text in it. */
function text(tag: string, content = '', name = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = content;
  if (name) element.className = name;
  return element;
}

function button(sign: string, label: string, press: () => void): HTMLElement {
  const element = text('button', sign);
  element.setAttribute('type', 'button');
  element.setAttribute('aria-label', label);
  element.addEventListener('click', press);
  return element;
}

/** Puts rows on top, newest first, and lets the oldest go. */
function push(list: HTMLElement, rows: HTMLElement[], most: number): void {
  list.prepend(...rows);
  while (list.childElementCount > most) list.lastElementChild!.remove();
}
