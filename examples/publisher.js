import { panel, rowsEndpoint as endpoint } from './panel.js';

const begin = document.querySelector('#begin');
const video = document.querySelector('video');
let last;
let records = 0;
const onRecord = (record) => {
  last = record;
  records += 1;
};
const streamId = `example-${crypto.randomUUID().slice(0, 8)}`;

begin.addEventListener('click', async () => {
  begin.disabled = true;
  try {
    globalThis.example = { streamId, monitor: await publish() };
  } catch (error) {
    begin.disabled = false;
    begin.textContent = `No camera: ${error.message} Try again`;
  }
});

// region snippet
import { PublisherMonitor } from '@playhead/player/publisher';

async function publish() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  video.srcObject = stream;
  return new PublisherMonitor(stream, {
    endpoint,
    streamId,
    onRecord, // only here
  });
}
// endregion

const size = ({ resolution }) => resolution;
panel({
  title: 'This stream',
  rows: [
    ['Size', size, size],
    ['Frames a second', ({ fps }) => fps?.toFixed(1), ({ fps }) => fps?.toFixed(1)],
    ['Dropped frames', ({ droppedFrames }) => droppedFrames, (row) => row.dropped_frames],
    ['Records', () => records, (row) => row.records],
  ].map(([title, ours, theirs]) => [title, ours, ({ meta }) => theirs(meta.stream)]),
  ours: () => last,
  address: () => `/v1/streams/${streamId}`,
  begun: () => records > 0,
});
