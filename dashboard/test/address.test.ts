import assert from 'node:assert/strict';
import { test } from 'node:test';

/** A page of a browser, as far as an address needs one. */
const heard: (() => void)[] = [];
const place = { hash: '#/quality?from=-7d&f=cdn%3Aaurora&metric=startup_time' };
const went = (_: unknown, __: string, url: string): void => void (place.hash = url);
Object.assign(globalThis, {
  location: place,
  addEventListener: (_: string, listener: () => void) => heard.push(listener),
  history: { pushState: went, replaceState: went },
});
const { address, decoded } = await import('../src/address.svelte.ts');

function go(hash: string): void {
  place.hash = hash;
  for (const listener of heard) listener();
}

test('a screen is read from the part after #', () => {
  assert.deepEqual([address.screen, address.get('metric'), address.span, address.filters], [
    'quality', 'startup_time', { from: '-7d', to: 'now' }, ['cdn:aurora'],
  ]);
  go('');
  assert.deepEqual([address.screen, address.rest, address.span.from], ['now', '', '-24h']);
});

test('span and filters go along to other screens, the rest stays', () => {
  go('#/quality?from=-7d&f=cdn%3Aaurora&metric=startup_time');
  assert.equal(address.to('views/a b'), '#/views/a%20b?from=-7d&f=cdn%3Aaurora');
  assert.equal(address.here({ metric: null, by: 'cdn' }), '#/quality?from=-7d&f=cdn%3Aaurora&by=cdn');
});

test('a filter is added, and taken away again', () => {
  go('#/audience');
  address.toggle('country:DE');
  assert.deepEqual(address.filters, ['country:DE']);
  address.toggle('country:DE');
  assert.equal(place.hash, '#/audience');
});

test('an address that a hand wrote does no harm', () => {
  go('#/views/%E0%A4%A?f=a&f=a');
  assert.deepEqual([address.screen, address.rest, address.filters], ['views', '%E0%A4%A', ['a']]);
  assert.equal(decoded('100%'), '100%');
});
