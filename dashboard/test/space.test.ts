import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullIn, growth, kindsOf, nameOf, type Space, type SpaceItem } from '../src/screens/setup/space.ts';

const DISK: Space['disk'] = {
  state: 'ok', free_bytes: 9, total_bytes: 10, floor_bytes: 1, warning_bytes: 2,
  growth_bytes_per_day: 5, full_in_days: null, sentence: '', remedy: '',
};

function item(kind: string, size: number, workspace = ''): SpaceItem {
  return {
    id: `${kind}${size}`, kind, name: 'plays', workspace, bytes: size, rows: null, parts: null,
    oldest: null, newest: null, kept: '', limit_bytes: null, growth_bytes_per_day: null,
  };
}

test('a growth has a sign, and what is not known is told as such', () => {
  assert.deepEqual([3_145_728, -2_048, 10, null, undefined].map(growth), ['+3 MiB', '−2 KiB', '0', '–', '–']);
});

test('a full disk is told in hours or days, or not in sight', () => {
  const told = [null, 0.01, 0.5, 1.2, 400].map((days) => fullIn({ ...DISK, full_in_days: days }));
  assert.deepEqual(told, ['not in sight', '1 h', '12 h', '1 d', '400 d']);
  assert.equal(fullIn({ ...DISK, growth_bytes_per_day: null }), '–');
});

test('kinds add up and the largest stands first', () => {
  const bars = kindsOf([item('log', 1_024), item('project', 1_024), item('project', 2_048), item('frozen', 0)]);
  assert.deepEqual(bars.map((one) => [one.name, one.text, one.aside]), [
    ['Projects', '3 KiB', '75 %'], ['Log', '1 KiB', '25 %'],
  ]);
});

test('a table of a further workspace names it', () => {
  assert.deepEqual([nameOf(item('project', 1)), nameOf(item('project', 1, 'ab12'))], ['plays', 'plays (ab12)']);
});
