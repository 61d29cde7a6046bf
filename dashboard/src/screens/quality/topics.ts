/** The catalogue in topics. It is listed topic after topic; the first metric of each is known here. */

import type { Metric } from '../../catalogue.svelte.ts';

export interface Topic {
  name: string;
  metrics: Metric[];
}

/** Metrics made from views: a topic begins at the metric of this id. */
const FIRST: Readonly<Record<string, string>> = {
  views: 'Engagement',
  startup_time: 'Startup',
  exits_before_video_start: 'Exits and failures',
  rebuffer_percentage: 'Stalls and seeks',
  weighted_bitrate: 'Picture',
  request_throughput: 'Network',
  ads: 'Ads',
  score: 'Scores',
};

const OF_SOURCE: Readonly<Record<string, string>> = {
  views: 'Views',
  renditions: 'Renditions',
  requests: 'Media requests of players',
  cdn: 'CDN logs',
  frames: 'Encoders',
};

/** Return the metrics that have a text in their id, name or definition, by topic. */
export function topics(metrics: readonly Metric[], text = ''): Topic[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const out: Topic[] = [];
  let [name, source] = ['', ''];
  for (const metric of metrics) {
    if (metric.source !== source) [name, source] = [OF_SOURCE[metric.source] ?? metric.source, metric.source];
    if (metric.source === 'views') name = FIRST[metric.id] ?? name;
    const all = [metric.id, metric.name, metric.definition, ...metric.aliases].join(' ').toLowerCase();
    if (!words.every((word) => all.includes(word))) continue;
    const last = out.at(-1);
    if (last?.name === name) last.metrics.push(metric);
    else out.push({ name, metrics: [metric] });
  }
  return out;
}
