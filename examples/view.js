/** The panel of a view: its numbers as the SDK sends them and as the server has them, and the overlay. */

import { overlay } from '@playhead/player/debug';
import { counted, counts } from './counts.js';
import { endpoint, kbps, ms, panel, place } from './panel.js';

const ROWS = [
  ['State', (sdk) => sdk.state, (row) => row.status],
  ['Startup', (sdk) => ms(sdk.startupMs), (row) => ms(row.startup_ms)],
  ['Stalls', (sdk) => sdk.stalls, (row) => row.rebuffer_count],
  ['Stalled', (sdk) => ms(sdk.stalledMs), (row) => ms(row.rebuffer_ms)],
  ['Seeks', (sdk) => sdk.seeks, (row) => row.seek_count],
  ['Bitrate: now, on average', (sdk) => kbps(sdk.kbps), (row) => kbps(row.bitrate_kbps)],
  ['Events', (sdk) => sdk.events, (row) => row.events.length],
].map(([title, ours, theirs]) => [title, ours, ({ data }) => theirs(data)]);

let now = counts();
let sent;

/** What the panel wants to hear of a monitor: spread it into the monitor's settings. */
export function heard() {
  const onEvent = (event) => {
    now = counted(now, event);
  };
  sent = overlay({ endpoint, onEvent }, place());
  return { onEvent: sent.config.onEvent, onReport: sent.config.onReport };
}

/** Show the view that a monitor measures. */
export function show(monitor) {
  globalThis.example = { monitor, counts: () => now };
  panel({
    title: 'This view',
    rows: ROWS,
    ours: () => ({ ...now, state: monitor.state }),
    address: () => `/v1/views/${monitor.viewId}`,
    begun: () => monitor.state !== 'idle',
  });
  sent.show(monitor);
  place().append(sent.element); // below the table
}

/** Show a view that nothing on this page measures: the player itself reports it. */
export function showReported(viewId) {
  panel({
    title: 'This view',
    rows: ROWS,
    ours: () => undefined,
    address: () => `/v1/views/${viewId}`,
    begun: () => document.querySelector('video').currentTime > 0,
  });
}
