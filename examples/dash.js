import { endpoint } from './panel.js';
import { heard, show } from './view.js';

// region snippet
import { monitorDash } from '@playhead/player/dash';

const video = document.querySelector('video');
const player = dashjs.MediaPlayer().create();
player.initialize();
const measured = monitorDash(player, video, {
  endpoint,
  video: { id: 'film-dash', title: 'Example film, DASH' },
  ...heard(), // only here
});
player.setAutoPlay(false);
player.attachView(video);
player.attachSource('media/film.mpd');
// endregion

show(measured);
