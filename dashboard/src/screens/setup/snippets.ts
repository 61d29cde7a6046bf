/** What a page needs to be measured, for each player: whole scripts, to be pasted and tried. */

export interface Snippet {
  id: string;
  name: string;
  code: string;
  note?: string;
}

/** What the snippets are filled with. `base` is this server; without a `key` none is sent. */
export interface Filling {
  base: string;
  key: string;
  videoId: string;
}

const OPTIONS = `{
    endpoint: '{base}'{key},
    video: { id: '{video}', title: 'My film' },
  }`;
const VIDEO = "const video = document.querySelector('video');";
const SDK = '<script src="{base}/sdk/playhead.js"></script>';

/** A page: the element, the player's own script where it has one, the SDK, and the call before the source. */
function page(lines: readonly string[], element = '<video controls></video>', library = ''): string {
  const own = library ? [`<!-- your page's own ${library} -->`] : [];
  return [element, ...own, SDK, '<script>', ...lines.map((line) => `  ${line}`), '</script>'].join('\n');
}

const ALL: readonly Snippet[] = [
  {
    id: 'html5',
    name: '<video>',
    code: page([VIDEO, `Playhead.monitor(video, ${OPTIONS});`], '<video controls src="my-film.mp4"></video>'),
  },
  {
    id: 'hls',
    name: 'hls.js',
    code: page(
      [VIDEO, 'const hls = new Hls();', `Playhead.monitorHls(hls, video, ${OPTIONS});`, "hls.loadSource('my-film.m3u8');", 'hls.attachMedia(video);'],
      undefined,
      'hls.js',
    ),
    note: 'The call stands before loadSource: the first manifest and segment are measured, too.',
  },
  {
    id: 'dash',
    name: 'dash.js',
    code: page(
      [
        VIDEO, 'const player = dashjs.MediaPlayer().create();', 'player.initialize();', `Playhead.monitorDash(player, video, ${OPTIONS});`,
        'player.attachView(video);', "player.attachSource('my-film.mpd');",
      ],
      undefined,
      'dash.js',
    ),
    note: 'The call stands before attachSource: the first manifest and segment are measured, too.',
  },
  {
    id: 'shaka',
    name: 'Shaka',
    code: page(
      [
        VIDEO, 'const player = new shaka.Player();', `Playhead.monitorShaka(player, video, ${OPTIONS});`,
        "player.attach(video).then(() => player.load('my-film.mpd'));",
      ],
      undefined,
      'Shaka Player',
    ),
    note: 'The call stands before load: the first manifest and segment are measured, too.',
  },
  {
    id: 'videojs',
    name: 'Video.js',
    code: page(
      [
        "const player = videojs(document.querySelector('video'));", `Playhead.monitorVideojs(player, ${OPTIONS});`,
        "player.src({ src: 'my-film.m3u8', type: 'application/vnd.apple.mpegurl' });",
      ],
      '<video controls class="video-js"></video>',
      'Video.js',
    ),
  },
  {
    id: 'curl',
    name: 'curl',
    code: `curl {base}/telemetry -H 'Content-Type: application/json'{header} \\
  -d '{"eventType":"PLAY","timestamp":'$(date +%s)'000,"viewId":"hello-'$(date +%s)'","videoId":"{video}"}'`,
    note: 'One event; its view counts as watching for 30 seconds.',
  },
];

/** What may stand in a script as it is: no quote, no bracket, no blank. */
const PLAIN = /^[\w.-]+$/;
export const VIDEO_ID = 'my-film';

/** Return the id of the video that is waited for: what could put code into a script is no id. */
export function videoIdOf(text: string): string {
  return PLAIN.test(text) ? text : VIDEO_ID;
}

/** Return the snippets for a server; a key is put in where one is given. */
export function snippets({ base, key, videoId }: Filling): Snippet[] {
  // Both come from the URL: a link of somebody else's must not put code into what is copied from here.
  const isKey = PLAIN.test(key);
  const filled: Readonly<Record<string, string>> = {
    '{base}': base,
    '{key}': isKey ? `, key: '${key}'` : '',
    '{header}': isKey ? ` -H 'X-Playhead-Key: ${key}'` : '',
    '{video}': videoIdOf(videoId),
  };
  return ALL.map((one) => ({ ...one, code: one.code.replaceAll(/\{(?:base|key|header|video)\}/g, (name) => filled[name] ?? name) }));
}
