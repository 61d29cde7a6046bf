/** Measurements in words. */

const WORDS: Readonly<Record<string, string>> = {
  avg: 'Mean',
  median: 'Median',
  sum: 'Sum',
  count: 'Count',
  percentage: 'Share',
  rate: 'Rate',
  max: 'Largest',
  mux: 'as Mux defines it',
  mux_monitoring: 'as Mux Monitoring defines it',
  cta2066: 'as CTA-2066 defines it',
  conviva: 'as Conviva defines it',
  newrelic: 'as New Relic defines it',
  compat: 'as others define it',
  perceptible: 'Perceptible ones',
};

/** Return what a measurement is called. */
export function said(measurement: string): string {
  const level = /^p(\d+(?:\.\d+)?)$/.exec(measurement)?.[1];
  if (level) return `${level}${ending(level)} percentile`;
  return WORDS[measurement] ?? measurement;
}

function ending(level: string): string {
  if (level.includes('.')) return 'th';
  const [ten, one] = [Math.trunc(Number(level) / 10), Number(level) % 10];
  return ten === 1 ? 'th' : (['th', 'st', 'nd', 'rd'][one] ?? 'th');
}

/** Whether it is read at a rank: such numbers have no parts that add up. */
export function isRank(measurement: string): boolean {
  return measurement === 'median' || /^p\d/.test(measurement);
}
