import { cmcdEndpoint as endpoint } from './panel.js';
import { showReported } from './view.js';

// region snippet
import { configureHls } from '@playhead/player/cmcd';

const video = document.querySelector('video');
const hls = new Hls();
const sessionId = crypto.randomUUID();
configureHls(hls, { endpoint, contentId: 'film-hls', sessionId });
hls.loadSource('media/film.m3u8');
hls.attachMedia(video);
// endregion

showReported(sessionId);
