/** What a page needs to be measured, for each player. `{base}` is this server, `{key}` a write key. */

export interface Snippet {
  id: string;
  name: string;
  code: string;
  note?: string;
}

const OPTIONS = "{ endpoint: '{base}'{key}, video: { id: 'my-film', title: 'My film' } }";
const SCRIPT = '<script src="{base}/sdk/playhead.js"></script>\n';

function page(call: string): string {
  return `${SCRIPT}<script>\n  ${call}\n</script>`;
}

const ALL: readonly Snippet[] = [
  { id: 'html5', name: '<video>', code: page(`Playhead.monitor(document.querySelector('video'), ${OPTIONS});`) },
  { id: 'hls', name: 'hls.js', code: page(`Playhead.monitorHls(hls, video, ${OPTIONS});`), note: 'Call it before hls.loadSource.' },
  { id: 'dash', name: 'dash.js', code: page(`Playhead.monitorDash(player, video, ${OPTIONS});`), note: 'Call it before the source is attached.' },
  { id: 'shaka', name: 'Shaka', code: page(`Playhead.monitorShaka(player, video, ${OPTIONS});`), note: 'Call it before player.load.' },
  { id: 'videojs', name: 'Video.js', code: page(`Playhead.monitorVideojs(player, ${OPTIONS});`) },
  {
    id: 'curl',
    name: 'curl',
    code: `curl {base}/telemetry -H 'Content-Type: application/json'{header} \\
  -d '{"eventType":"PLAY","timestamp":'$(date +%s)'000,"viewId":"hello","videoId":"my-film"}'`,
    note: 'One event; its view counts as watching for 30 seconds.',
  },
];

const KEY = /^[\w.-]+$/;

/** Return the snippets for a server; a key is put in where one is given. */
export function snippets(base: string, key: string): Snippet[] {
  // The key comes from the URL: a link of somebody else's must not put code into what is copied from here.
  const isKey = KEY.test(key);
  const option = isKey ? `, key: '${key}'` : '';
  const header = isKey ? ` -H 'X-Playhead-Key: ${key}'` : '';
  return ALL.map((one) => ({
    ...one,
    code: one.code.replaceAll('{base}', base).replaceAll('{key}', option).replaceAll('{header}', header),
  }));
}
