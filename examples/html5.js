import { endpoint } from './panel.js';
import { heard, show } from './view.js';

// region snippet
import { monitor } from '@playhead/player';

const video = document.querySelector('video');
const measured = monitor(video, {
  endpoint,
  video: { id: 'film-mp4', title: 'Example film, one file' },
  ...heard(), // only here
});
// endregion

show(measured);
