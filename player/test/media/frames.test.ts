import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, Video } from './stage.ts';
import { frames } from '../../src/media/frames.ts';

function fasten(): [Book, Video] {
  const [book, video] = [new Book(), new Video()];
  frames(book, video.as());
  return [book, video];
}

test('frames count from the begin of the view', () => {
  const [book, video] = fasten();
  video.frames = { totalVideoFrames: 100, droppedVideoFrames: 4 };
  assert.equal(book.sampled().player?.decodedFrames, 100);
  book.view = 'view-2';
  video.frames = { totalVideoFrames: 130, droppedVideoFrames: 5 };
  assert.deepEqual([book.sampled().player?.decodedFrames, book.sampled().player?.droppedFrames], [30, 1]);
});

test('an element that counts anew is followed', () => {
  const [book, video] = fasten();
  video.frames = { totalVideoFrames: 100, droppedVideoFrames: 4 };
  book.sampled();
  video.frames = { totalVideoFrames: 20, droppedVideoFrames: 0 };
  assert.deepEqual(book.sampled().player?.decodedFrames, 20);
});

test('the rate is of frames shown in the time the picture moved', () => {
  const [book, video] = fasten();
  video.frames = { totalVideoFrames: 10, droppedVideoFrames: 0 };
  book.sampled();
  Object.assign(video, { currentTime: 8, playbackRate: 2, frames: { totalVideoFrames: 120, droppedVideoFrames: 10 } });
  assert.equal(book.sampled().player?.fps, 25);
});

test('a seek is no playing', () => {
  const [book, video] = fasten();
  video.frames = { totalVideoFrames: 10, droppedVideoFrames: 0 };
  book.sampled();
  video.raise('seeking', { currentTime: 600 });
  video.frames = { totalVideoFrames: 60, droppedVideoFrames: 0 };
  assert.equal(book.sampled().player?.fps, undefined);
});
