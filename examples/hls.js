import { endpoint } from './panel.js';
import { heard, show } from './view.js';

// region snippet
import { monitorHls } from '@playhead/player/hls';

const video = document.querySelector('video');
const hls = new Hls();
const measured = monitorHls(hls, video, {
  endpoint,
  video: { id: 'film-hls', title: 'Example film, HLS' },
  ...heard(), // only here
});
hls.loadSource('media/film.m3u8');
hls.attachMedia(video);
// endregion

show(measured);
