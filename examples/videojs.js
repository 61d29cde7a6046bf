import { endpoint } from './panel.js';
import { heard, show } from './view.js';

// region snippet
import { monitorVideojs } from '@playhead/player/videojs';

const player = videojs(document.querySelector('video'));
const measured = monitorVideojs(player, {
  endpoint,
  video: { id: 'film-hls', title: 'Example film, HLS' },
  ...heard(), // only here
});
player.src({ src: 'media/film.m3u8', type: 'application/vnd.apple.mpegurl' });
// endregion

show(measured);
