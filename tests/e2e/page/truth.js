// What the media element really did, by the browser's own account: every frame put on screen, every
// media event, every wish of the page. Knows nothing of the library under test.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const EVENTS = ['loadstart', 'loadedmetadata', 'emptied', 'play', 'playing', 'pause', 'waiting', 'seeking',
    'seeked', 'ended', 'ratechange', 'error', 'canplay', 'stalled'];
  const videos = [];

  function watch(video) {
    const seen = { frames: [], events: [], wishes: [], polls: [] };
    const frame = (at, meta) => {
      seen.frames.push([performance.timeOrigin + meta.presentationTime, meta.mediaTime, meta.width, meta.height]);
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
    for (const type of EVENTS) {
      video.addEventListener(type, () => {
        seen.events.push([type, now(), video.currentTime, video.playbackRate, video.paused]);
      }, true);
    }
    setInterval(() => seen.polls.push([now(), video.currentTime, video.readyState]), 50);
    videos.push(seen);
    return {
      wish(kind) { seen.wishes.push([kind, now(), video.currentTime]); },
    };
  }

  const faults = [];
  addEventListener('error', (event) => faults.push(`error: ${event.message} ${event.error && event.error.stack}`));
  addEventListener('unhandledrejection', (event) => faults.push(`rejection: ${event.reason && (event.reason.stack || event.reason)}`));
  const visibility = [];
  document.addEventListener('visibilitychange', () => visibility.push([document.visibilityState, now()]));

  window.truth = { watch, faults, now, read: () => ({ videos, faults, visibility, now: now() }) };
})();
