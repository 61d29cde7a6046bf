import assert from 'node:assert/strict';
import test from 'node:test';
import { monitorContribAds, monitorIma, vastEvents, type AdMonitor } from '../../src/ads.ts';

/** A monitor that writes down what it is told. */
function listener(): { told: string[]; monitor: AdMonitor } {
  const told: string[] = [];
  return {
    told,
    monitor: {
      ad(kind, ad, error) {
        const place = ad && [ad.id, ad.position, ad.podIndex, ad.durationSec].filter((one) => one !== undefined);
        told.push([kind.slice(3), place?.join('/'), error?.code].filter(Boolean).join(' '));
      },
    },
  };
}

/** An object of IMA that raises events. */
class Ima extends EventTarget {
  raise(type: string, more: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), more));
  }
}

const ad = (id: string, place = 1, count = 1, offset = 0) => ({
  getAd: () => ({
    getAdId: () => id,
    getDuration: () => 15,
    getAdPodInfo: () => ({ getAdPosition: () => place, getTotalAds: () => count, getTimeOffset: () => offset }),
  }),
});
const failure = (code: number, vast = 900) => ({ getErrorCode: () => code, getVastErrorCode: () => vast, getMessage: () => '' });

test('a pre-roll of IMA: its request, its break, one start, its quartiles', () => {
  const { told, monitor } = listener();
  const loader = new Ima();
  const manager = new Ima();
  const ads = monitorIma(monitor, null, loader);
  ads.request();
  loader.raise('adsManagerLoaded');
  ads.manager(manager);
  manager.raise('contentPauseRequested', ad('a'));
  for (const type of ['loaded', 'impression', 'start', 'firstQuartile', 'midpoint', 'thirdQuartile', 'complete']) {
    manager.raise(type, ad('a'));
  }
  manager.raise('contentResumeRequested');
  manager.raise('allAdsCompleted');
  const a = 'a/preroll/0/15';
  assert.deepEqual(told, [
    'REQUEST', 'RESPONSE', `BREAK_START ${a}`, `START ${a}`, `FIRST_QUARTILE ${a}`, `MIDPOINT ${a}`,
    `THIRD_QUARTILE ${a}`, `END ${a}`, 'BREAK_END',
  ]); // prettier-ignore
});

test('a pod whose break nobody names: it begins with its first ad and ends with its last', () => {
  const { told, monitor } = listener();
  const manager = new Ima();
  monitorIma(monitor, manager);
  for (const type of ['start', 'skip', 'complete']) manager.raise(type, ad('a', 1, 2, 300));
  for (const type of ['start', 'complete']) manager.raise(type, ad('b', 2, 2, 300));
  const [a, b] = ['a/midroll/0/15', 'b/midroll/1/15'];
  assert.deepEqual(told, [`BREAK_START ${a}`, `START ${a}`, `SKIP ${a}`, `START ${b}`, `END ${b}`, 'BREAK_END']);
});

test('an error of one ad leaves the break open, an error of the manager ends it', () => {
  const { told, monitor } = listener();
  const manager = new Ima();
  const ads = monitorIma(monitor, manager);
  manager.raise('contentPauseRequested', ad('a', 1, 2, -1));
  manager.raise('log', { getAdData: () => ({ adError: failure(400, 403) }) });
  manager.raise('log', { getAdData: () => ({}) });
  manager.raise('adError', { getError: () => failure(1009) });
  ads.stop();
  manager.raise('start', ad('b'));
  assert.deepEqual(told, ['BREAK_START a/postroll/0/15', 'ERROR 403', 'ERROR 1009', 'BREAK_END']);
});

test('objects that are not as expected disturb nobody', () => {
  const { told, monitor } = listener();
  const manager = new Ima();
  monitorIma(monitor, manager);
  manager.raise('start', { getAd: () => { throw new Error('gone'); } });
  manager.raise('start', { getAd: () => null });
  assert.deepEqual(told, ['START']);
});

test('VAST: without pods each ad is for itself, unknown names are nothing', () => {
  const { told, monitor } = listener();
  const tell = vastEvents(monitor);
  for (const event of ['request', 'loaded', 'impression', 'creativeView', 'mute', 'toString', 'pause', 'resume', 'closeLinear']) {
    tell(event, { id: 'x' });
  }
  tell('error', { id: 'y' }, 303);
  assert.deepEqual(told, ['REQUEST', 'RESPONSE', 'START x', 'PAUSE x', 'RESUME x', 'SKIP x', 'ERROR y 303']);
});

test('VAST: a late start is told by the first quartile', () => {
  const { told, monitor } = listener();
  const tell = vastEvents(monitor);
  tell('breakStart', { position: 'preroll' });
  tell('firstQuartile', { id: 'x' });
  tell('complete');
  tell('breakEnd');
  assert.deepEqual(told, ['BREAK_START preroll', 'START x', 'FIRST_QUARTILE x', 'END x', 'BREAK_END']);
});

test('Video.js: what an ad plugin says of its ads goes with each event', () => {
  const { told, monitor } = listener();
  const ears = new Map<string, () => void>();
  const player = {
    ads: { ad: { id: 'x', type: 'PREROLL', index: 0, duration: 8 } },
    on: (type: string, heard: () => void) => ears.set(type, heard),
    off: (type: string) => ears.delete(type),
  };
  const stop = monitorContribAds(monitor, player);
  for (const type of ['adstart', 'ads-pod-started', 'ads-ad-started', 'ads-ad-skipped', 'adend']) ears.get(type)!();
  stop();
  const x = 'x/preroll/0/8';
  assert.deepEqual(told, [`BREAK_START ${x}`, `START ${x}`, `SKIP ${x}`, 'BREAK_END']);
  assert.equal(ears.size, 0);
});
