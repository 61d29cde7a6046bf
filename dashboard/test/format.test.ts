import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bitrate, bytes, change, count, decimal, duration, moment, named, utc } from '../src/format.ts';

test('counts are whole, and short where they are large', () => {
  assert.deepEqual([0, 9_999, 12_345, 10_000_000].map((one) => count(one)), ['0', '9,999', '12.3K', '10M']);
  assert.deepEqual([null, undefined, NaN, Infinity].map((one) => count(one)), ['–', '–', '–', '–']);
});

test('numbers have as many decimals as their size deserves', () => {
  assert.deepEqual([0, 0.126, 12.34, 123.4, -1.25, 20_000].map((one) => decimal(one)), ['0', '0.13', '12.3', '123', '-1.25', '20K']);
});

test('durations have two units at most', () => {
  assert.deepEqual([840, 2_400, 185_000, 7_800_000, 720_000_000].map((one) => duration(one)), [
    '840 ms', '2.4 s', '3 min 5 s', '2 h 10 min', '200 h',
  ]);
});

test('rates and sizes', () => {
  assert.equal(bitrate(5_960), '5.96 Mbit/s');
  assert.equal(bytes(1_536), '1.5 KiB');
});

test('a change reads without colour', () => {
  assert.deepEqual([5.5, -3, 0.01, null].map((one) => change(one)), ['▲ +5.5 %', '▼ −3 %', '= 0 %', '–']);
});

test('moments that are none are told as such', () => {
  assert.deepEqual([moment(''), moment('never'), utc('never'), utc('2026-01-02T03:04:05.678Z')], ['–', '–', '', '2026-01-02 03:04:05 UTC']);
  assert.match(moment('2001-02-03T04:05:06Z'), /2001/);
});

test('ages and names', () => {
  assert.deepEqual([10, 3_000, 720_000, null].map((one) => ago(one)), ['less than 1 s', '3 s', '12 min', '–']);
  assert.deepEqual([named(''), named('DE')], ['unknown', 'DE']);
});
