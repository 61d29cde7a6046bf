/** Counts what the SDK sends, as it sends it: the numbers of one view. */

/** Return empty counts. */
export function counts() {
  return { viewId: '', startupMs: undefined, stalls: 0, stalledMs: 0, seeks: 0, kbps: 0, height: 0, events: 0 };
}

/** Take one event into the counts of its view; another view begins anew. */
export function counted(now, event) {
  const view = now.viewId === event.viewId ? { ...now } : { ...counts(), viewId: event.viewId };
  const at = event.monotonicMs ?? 0;
  view.events += 1;
  if (event.quality?.bitrateKbps) view.kbps = event.quality.bitrateKbps;
  if (event.quality?.height) view.height = event.quality.height;
  const { eventType: kind } = event;
  if (kind === 'PLAY') view.playedAt ??= at;
  if (kind === 'PLAYING') view.startupMs ??= event.startupMs ?? at - (view.playedAt ?? at);
  if (kind === 'SEEK_START') view.seeks += 1;
  if (kind === 'BUFFER_START') {
    view.stalls += 1;
    view.stalledAt = at;
  } else if (view.stalledAt !== undefined && ['BUFFER_END', 'PAUSE', 'SEEK_START', 'STOP', 'ENDED'].includes(kind)) {
    view.stalledMs += at - view.stalledAt;
    view.stalledAt = undefined;
  }
  return view;
}
