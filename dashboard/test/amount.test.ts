import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, bare, beyond, counted, numberOf, short } from '../src/amount.ts';

test('an amount has its unit, and words only once', () => {
  assert.deepEqual([amount(1_400, 'ms'), amount(2_305, 'views'), amount(12.5, '%')], ['1.4 s', '2,305 views', '12.5 %']);
  assert.deepEqual([bare(2_305, 'views'), bare(90, 's'), bare(800, 'kbps'), bare(null, 'ms')], ['2,305', '1 min 30 s', '800 kbit/s', '–']);
});

test('an axis has room for one unit', () => {
  assert.deepEqual([short(5_400_000, 'ms'), short(90_000, 'ms'), short(250, 'ms')], ['1.5 h', '1.5 min', '250 ms']);
});

test('fields of rows, and how far values are apart', () => {
  assert.deepEqual([numberOf({ views: 3 }, 'views'), numberOf({ views: 'a' }, 'views'), numberOf(null, 'views')], [3, null, null]);
  assert.deepEqual([beyond(3, 2), beyond(1, 0), beyond(null, 2)], [50, null, null]);
  assert.deepEqual([counted('renditions'), counted('unheard')], ['intervals', 'views']);
});
