/** Spans of time: the ones to choose from, and the one before. */

export interface Choice {
  from: string;
  name: string;
}

export const CHOICES: readonly Choice[] = [
  { from: '-30m', name: '30 minutes' },
  { from: '-1h', name: '1 hour' },
  { from: '-6h', name: '6 hours' },
  { from: '-24h', name: '24 hours' },
  { from: '-7d', name: '7 days' },
  { from: '-30d', name: '30 days' },
];

/** Return a span in words. */
export function inWords(from: string, to: string): string {
  const known = CHOICES.find((choice) => choice.from === from);
  if (known && (to === 'now' || to === '')) return `last ${known.name}`;
  const day = (text: string): string => {
    const at = new Date(text);
    if (Number.isNaN(at.getTime())) return text;
    return at.toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  };
  return `${day(from)} to ${to === 'now' ? 'now' : day(to)}`;
}

/** Return a moment of the API as a field of type `datetime-local` takes it, in the viewer's zone. */
export function asField(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return '';
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
