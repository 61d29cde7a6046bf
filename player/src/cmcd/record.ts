/** A CMCD record of a body: a line of `key=value` members, read and written without loss. */

/** The members of a record by key, values as they stand on the line (`"a"`, `(3200;v)`); `''` is bare true. */
export type CmcdRecord = Map<string, string>;

const MEMBER = /((?:[^,"(]|"(?:[^"\\]|\\.)*"|\((?:[^)"]|"(?:[^"\\]|\\.)*")*\))+)/g;

/** Reads a line. Commas inside strings and lists belong to their value. */
export function recordOf(line: string): CmcdRecord {
  const record: CmcdRecord = new Map();
  for (const part of line.match(MEMBER) || []) {
    const at = part.indexOf('=');
    if (at < 0) record.set(part.trim(), '');
    else record.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  record.delete('');
  return record;
}

/** Writes a record as a line, keys in the order the standard recommends. */
export function lineOf(record: CmcdRecord): string {
  return [...record.keys()]
    .sort()
    .map((key) => (record.get(key) ? `${key}=${record.get(key)}` : key))
    .join(',');
}

/** Writes a text as a string of structured fields (RFC 8941): ASCII in quotes, the rest percent-encoded. */
export function quoted(text: string): string {
  const plain = text.replace(/[^ -~]+/g, encodeURIComponent);
  return `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
