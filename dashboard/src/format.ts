/** Numbers and moments as people read them. Times are the viewer's zone; UTC stands in the title. */

export const NONE = '–';
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 3 });
const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
/** By the number of decimals. Made once: making one takes longer than a hundred uses. */
const DECIMALS = [0, 1, 2].map((digits) => new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }));
/** Of today, of this year, of another year; each without and with seconds. */
const MOMENTS = [{}, { day: 'numeric', month: 'short' }, { day: 'numeric', month: 'short', year: 'numeric' }].map((day) =>
  [{}, { second: '2-digit' }].map((second) =>
    new Intl.DateTimeFormat(undefined, { ...day, hour: '2-digit', minute: '2-digit', ...second } as Intl.DateTimeFormatOptions),
  ),
);
const DAY_MS = 86_400_000;

/** Millions are `M` everywhere: before a unit, the `m` of some languages reads as metres or minutes. */
function short(value: number): string {
  const parts = compact.formatToParts(value);
  return parts.map((part) => (part.type === 'compact' && part.value === 'm' ? 'M' : part.value)).join('');
}

/** Return a whole number; large ones short (`12.3K`). */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return Math.abs(value) < 10_000 ? plain.format(value) : short(value);
}

/** Return a number with as many decimals as its size deserves. */
export function decimal(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 10_000) return short(value);
  const digits = size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : 2;
  return (DECIMALS[digits] ?? plain).format(value);
}

/** Return a duration of so many ms: `840 ms`, `2.4 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  const size = Math.abs(ms);
  if (size < 1_000) return `${plain.format(ms)} ms`;
  if (size < 60_000) return `${decimal(ms / 1_000)} s`;
  if (size < 3_600_000) return two(ms / 60_000, 'min', 60, 's');
  if (size < 100 * 3_600_000) return two(ms / 3_600_000, 'h', 60, 'min');
  return `${decimal(ms / 3_600_000)} h`;
}

function two(value: number, unit: string, parts: number, part: string): string {
  const all = Math.round(value * parts);
  const rest = Math.abs(all % parts);
  return `${plain.format(Math.trunc(all / parts))} ${unit}${rest ? ` ${rest} ${part}` : ''}`;
}

/** Return a rate of so many kbit/s. */
export function bitrate(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined || !Number.isFinite(kbps)) return NONE;
  return kbps >= 1_000 ? `${decimal(kbps / 1_000)} Mbit/s` : `${decimal(kbps)} kbit/s`;
}

/** Return a size of so many bytes, in powers of 1,024. */
export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined || !Number.isFinite(size)) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let [value, index] = [size, 0];
  while (Math.abs(value) >= 1_024 && index < units.length - 1) [value, index] = [value / 1_024, index + 1];
  return `${decimal(value)} ${units[index]}`;
}

/** Return a change with its sign and an arrow, so that it reads without colour. */
export function change(percentage: number | null | undefined): string {
  if (percentage === null || percentage === undefined || !Number.isFinite(percentage)) return NONE;
  if (Math.abs(percentage) < 0.05) return '= 0 %';
  return `${percentage > 0 ? '▲ +' : '▼ −'}${decimal(Math.abs(percentage))} %`;
}

/** Return a moment in the viewer's zone: the time alone today, else with its day. */
export function moment(iso: string | number | null | undefined, { seconds = false } = {}): string {
  if (iso === null || iso === undefined || iso === '') return NONE;
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return NONE;
  const isToday = at.toDateString() === new Date().toDateString();
  const isFar = Math.abs(Date.now() - at.getTime()) > 300 * DAY_MS;
  return MOMENTS[isToday ? 0 : isFar ? 2 : 1]?.[Number(seconds)]?.format(at) ?? NONE;
}

/** Return the same moment in UTC, for titles. */
export function utc(iso: string | number | null | undefined): string {
  if (iso === null || iso === undefined || iso === '') return '';
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? '' : `${at.toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}

/** Return how long ago something was: `3 s`, `12 min`, `2 h`, `5 d`. */
export function ago(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  if (ms < 1_000) return 'less than 1 s';
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / DAY_MS)} d`;
}

/** Return the name of a group; what nobody told is unknown. */
export function named(group: string | null | undefined): string {
  return group === '' || group === null || group === undefined ? 'unknown' : group;
}
