/** The catalogue of metrics and dimensions, read once a visit. */

import { ask, type Answer } from './ask.ts';

export interface Metric {
  id: string;
  name: string;
  unit: string;
  format: string;
  definition: string;
  source: string;
  bucket: string;
  better: 'higher' | 'lower' | null;
  measurement: string;
  measurements: string[];
  compat: Record<string, string>;
  aliases: string[];
}

export interface Dimension {
  id: string;
  description: string;
  sources: string[];
}

interface Catalogue {
  metrics: Metric[];
  dimensions: Dimension[];
}

/** As the API tells it: a metric that is neither good nor bad is neutral. */
interface Told extends Omit<Catalogue, 'metrics'> {
  metrics: (Omit<Metric, 'better'> & { better: Metric['better'] | 'neutral' })[];
}

let all = $state.raw<Catalogue>({ metrics: [], dimensions: [] });
let under: Promise<void> | null = null;

async function read(): Promise<void> {
  const { data }: Answer<Told> = await ask({ path: 'v1/metrics' });
  const metrics = data.metrics.map((one) => ({ ...one, better: one.better === 'neutral' ? null : one.better }));
  all = { ...data, metrics };
}

export const catalogue = {
  /** Reads it if it is not there yet; call it before `metrics` is used. */
  async load(): Promise<void> {
    under ??= read().catch((error: unknown) => {
      under = null;
      throw error;
    });
    await under;
  },
  get metrics(): Metric[] {
    return all.metrics;
  },
  get dimensions(): Dimension[] {
    return all.dimensions;
  },
  metric(id: string): Metric | undefined {
    return all.metrics.find((one) => one.id === id);
  },
  /** The dimensions that rows of a source have. */
  dimensionsOf(source: string): Dimension[] {
    return all.dimensions.filter((one) => one.sources.includes(source));
  },
};
