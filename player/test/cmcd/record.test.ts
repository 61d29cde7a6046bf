import assert from 'node:assert/strict';
import test from 'node:test';
import { lineOf, quoted, recordOf } from '../../src/cmcd/record.ts';

test('a record is written as it was read, whatever its strings and lists hold', () => {
  const line = 'bl=(0;v 0;a),bs,cid="a, \\"b\\" (c",e=ps,nor=("x,y";r="0-9" "z"),pr=1.5,sta=p';
  const record = recordOf(line);
  assert.equal(record.get('cid'), '"a, \\"b\\" (c"');
  assert.equal(lineOf(record), line);
});

test('spaces around members and empty ones are no part of a record', () => {
  assert.deepEqual([...recordOf(' pt=1, sf=d ,,bg')], [['pt', '1'], ['sf', 'd'], ['bg', '']]);
});

test('a string holds ASCII alone', () => {
  assert.equal(quoted('a "é" \\'), '"a \\"%C3%A9\\" \\\\"');
});
