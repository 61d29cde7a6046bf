/** Tables as text, for files and the clipboard. */

export type Cell = string | number | boolean | null | undefined;

export interface Column<R> {
  /** The heading. */
  name: string;
  /** What a file gets: plain numbers, ISO times. */
  value: (row: R) => Cell;
  /** What a person reads; the value itself by default. */
  shown?: (row: R) => string;
  /** Numbers stand right. */
  isNumber?: boolean;
  /** What stands in the title of the cell (UTC of a time). */
  title?: (row: R) => string;
  /** Where the cell leads. */
  link?: (row: R) => string | null;
}

/** Text that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value: Cell): string {
  if (value === null || value === undefined) return '';
  let text = String(value);
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return rows as CSV with a heading. */
export function csv<R>(columns: readonly Column<R>[], rows: readonly R[]): string {
  const lines = [columns.map((column) => cell(column.name)).join(',')];
  for (const row of rows) lines.push(columns.map((column) => cell(column.value(row))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** Hands a text to the browser as a file. */
export function download(name: string, text: string, type = 'text/csv'): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
