// A page with one player, made and driven by a test: `stage.make(options)`, then `stage.play()`, …
const SCRIPTS = {
  hls: ['/lib/hls.js/dist/hls.min.js'],
  dash: ['/lib/dashjs/dist/modern/umd/dash.all.min.js'],
  shaka: ['/lib/shaka-player/dist/shaka-player.compiled.js'],
  videojs: ['/lib/video.js/dist/video.min.js'],
  html5: [],
};

function script(src) {
  return new Promise((loaded, failed) => {
    const element = document.createElement('script');
    element.src = src;
    element.onload = loaded;
    element.onerror = () => failed(new Error(`no ${src}`));
    document.head.append(element);
  });
}

const makers = {
  html5(video, options) {
    return { load(src) { video.src = src; }, destroy() { video.removeAttribute('src'); video.load(); } };
  },
  hls(video, options) {
    const hls = new Hls({ maxBufferLength: 5, maxMaxBufferLength: 5, enableWorker: false, ...options.player });
    hls.on('hlsError', (_, told) => { if (told.fatal) stage.errors.push(told.details); });
    return { native: hls, load(src) { hls.loadSource(src); if (!hls.media) hls.attachMedia(video); }, destroy() { hls.destroy(); } };
  },
  dash(video, options) {
    const player = dashjs.MediaPlayer().create();
    player.updateSettings({ debug: { logLevel: 0 }, streaming: { scheduling: { scheduleWhilePaused: true },
      buffer: { bufferTimeDefault: 5, bufferTimeAtTopQuality: 5, bufferTimeAtTopQualityLongForm: 5, fastSwitchEnabled: false } } });
    if (options.player) player.updateSettings(options.player);
    player.initialize(video, null, Boolean(options.autoplay));
    return { native: player, load(src) { player.attachSource(src); }, destroy() { player.destroy(); } };
  },
  shaka(video, options) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    player.configure({ streaming: { bufferingGoal: 5, rebufferingGoal: 1, bufferBehind: 60,
      retryParameters: { maxAttempts: 3, baseDelay: 200, timeout: 20000, stallTimeout: 0, connectionTimeout: 0 } } });
    if (options.player) player.configure(options.player);
    const attached = player.attach(video);
    player.addEventListener('error', (event) => { if (event.detail && event.detail.severity === 2) stage.warned = true; });
    return { native: player,
      load(src) { return attached.then(() => player.load(src)).catch((error) => stage.errors.push(error.code)); },
      destroy() { player.destroy(); } };
  },
  videojs(video, options) {
    videojs.log.level('off');
    if (videojs.Vhs) { videojs.Vhs.GOAL_BUFFER_LENGTH = 5; videojs.Vhs.MAX_GOAL_BUFFER_LENGTH = 5; videojs.Vhs.BUFFER_LOW_WATER_LINE = 0; videojs.Vhs.MAX_BUFFER_LOW_WATER_LINE = 0; }
    // It gives up a segment after three seconds, and here that would be the test's doing.
    if (videojs.Vhs) videojs.Vhs.xhr.beforeRequest = (request) => { request.timeout = 0; return request; };
    const player = videojs(video, { controls: true, html5: { vhs: { overrideNative: true, useDevicePixelRatio: false, limitRenditionByPlayerDimensions: false } }, ...options.player });
    return { native: player,
      load(src) { player.src({ src, type: src.endsWith('.mp4') ? 'video/mp4' : 'application/x-mpegURL' }); },
      destroy() { player.dispose(); } };
  },
};

// How the library under test is fastened to each player.
const fasteners = {
  html5: async (sdk) => (await import(`${sdk}/index.js`)).monitor,
  hls: async (sdk) => { const m = await import(`${sdk}/hls.js`); return (video, config) => m.monitorHls(stage.player.native, video, config); },
  dash: async (sdk) => { const m = await import(`${sdk}/dash.js`); return (video, config) => m.monitorDash(stage.player.native, video, config); },
  shaka: async (sdk) => { const m = await import(`${sdk}/shaka.js`); return (video, config) => m.monitorShaka(stage.player.native, video, config); },
  videojs: async (sdk) => { const m = await import(`${sdk}/videojs.js`); return (video, config) => m.monitorVideojs(stage.player.native, config); },
};

const stage = {
  errors: [],
  views: [],
  sent: [],
  reports: [],
  video: null,
  player: null,
  monitor: null,

  // options: player kind, its own options, autoplay, loop, muted, and `config` (the library's; null = without it).
  async make(options) {
    await Promise.all(SCRIPTS[options.kind].map(script));
    const fasten = options.config && await fasteners[options.kind]('/sdk');
    stage.options = options;
    const video = document.createElement('video');
    video.muted = options.muted !== false;
    video.loop = Boolean(options.loop);
    video.playsInline = true;
    if (options.autoplay) video.autoplay = true;
    if (options.kind === 'html5' && options.preload) video.preload = options.preload;
    document.body.append(video);
    stage.truth = truth.watch(video);
    stage.video = video;
    stage.player = makers[options.kind](video, options);
    stage.video = document.querySelector('video') || video;
    stage.fasten = fasten;
    if (fasten && !options.late) stage.attach();
  },
  attach() {
    const config = stage.options.bare ? stage.options.config : { ...stage.options.config,
      onEvent: (event) => { stage.sent.push(event); if (!stage.views.includes(event.viewId)) stage.views.push(event.viewId); },
      onReport: (report) => stage.reports.push({ ...report, events: report.events && report.events.length }) };
    stage.monitor = stage.fasten(stage.video, config);
  },
  // CMCD by the player itself: beside the library (`joined`) or on its own.
  async cmcd({ joined, ...options }) {
    const library = await import('/sdk/cmcd.js');
    const configure = { hls: library.configureHls, dash: library.configureDash, shaka: library.configureShaka }[stage.options.kind];
    stage.stopCmcd = configure(stage.player.native, joined ? { ...options, monitor: stage.monitor } : options);
  },
  load(src) {
    stage.truth.wish('load');
    if (stage.options.autoplay) stage.truth.wish('autoplay');
    // Where a player takes the element over later, a play() before is lost: the viewer presses it after.
    const begun = new Promise((done) => { stage.video.addEventListener('loadstart', done, { once: true }); setTimeout(done, 1_500); });
    stage.player.load(src);
    return ['dash', 'shaka', 'videojs'].includes(stage.options.kind) ? begun.then(() => {}) : undefined;
  },
  play() {
    stage.truth.wish('play');
    const promise = stage.video.play();
    if (promise) promise.catch(() => {});
  },
  pause() { stage.truth.wish('pause'); stage.video.pause(); },
  seek(position) { stage.truth.wish('seek'); stage.video.currentTime = position; },
  async scrub(positions, everyMs) {
    for (const position of positions) {
      stage.seek(position);
      await new Promise((later) => setTimeout(later, everyMs));
    }
  },
  rate(value) { stage.truth.wish('rate'); stage.video.playbackRate = value; },
  leave() { if (stage.monitor) stage.monitor.destroy(); },
};
window.stage = stage;

// For waiting on, not for truth: how long the playhead has stood still, in ms.
let stood = [performance.now(), 0];
setInterval(() => {
  const at = stage.video ? stage.video.currentTime : 0;
  if (at !== stood[1]) stood = [performance.now(), at];
}, 20);
stage.stillMs = () => performance.now() - stood[0];

// A tab that nobody drives from outside asks for its orders itself.
const remote = new URLSearchParams(location.search).get('remote');
async function obey() {
  for (;;) {
    const { id, code } = await (await fetch(`/${remote}/order`)).json();
    const answer = { id };
    try {
      answer.value = await (0, eval)(code);
    } catch (error) {
      answer.error = String(error && error.stack);
    }
    await fetch(`/${remote}/told`, { method: 'POST', body: JSON.stringify(answer) });
  }
}
if (remote) obey().catch(() => {});
