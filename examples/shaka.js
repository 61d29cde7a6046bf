import { endpoint } from './panel.js';
import { heard, show } from './view.js';

// region snippet
import { monitorShaka } from '@playhead/player/shaka';

const video = document.querySelector('video');
const player = new shaka.Player();
const measured = monitorShaka(player, video, {
  endpoint,
  video: { id: 'film-dash', title: 'Example film, DASH' },
  ...heard(), // only here
});
await player.attach(video);
await player.load('media/film.mpd');
// endregion

show(measured);
