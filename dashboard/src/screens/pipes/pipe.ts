/** Pipes and data sources as /v0 tells of them. */

export interface Parameter {
  name: string;
  type: string;
  required: boolean;
  default?: unknown;
  description?: string;
  example?: string;
  format?: string;
  item_type?: string;
  enum?: string[];
}

export interface PipeNode {
  id: string;
  name: string;
  description: string;
  node_type: string;
  params: Parameter[];
  sql?: string;
  datasource?: string;
}

export interface Pipe {
  id: string;
  name: string;
  description: string;
  type: string;
  endpoint: string | null;
  params: Parameter[];
  nodes: PipeNode[];
  tags: string[];
  published: boolean;
  updated_at: string | null;
}

/** The answer to publishing, or to its check. */
export interface Published extends Pipe {
  warnings: string[];
}

export interface SourceColumn {
  name: string;
  type: string;
  jsonpath: string | null;
  default_value: string | null;
}

export interface Source {
  name: string;
  description: string;
  kind: 'project' | 'playhead';
  columns: SourceColumn[];
  engine: Record<string, string>;
  statistics: { row_count: number | null; bytes: number | null };
  quarantine_rows: number | null;
}

/** How a field of a form takes a parameter. */
export type Field = 'choice' | 'whole' | 'number' | 'date' | 'time' | 'list' | 'text';

export function fieldOf(one: Parameter): Field {
  if (one.enum?.length || /^bool/i.test(one.type)) return 'choice';
  if (/^U?Int(eger|\d*)$/.test(one.type)) return 'whole';
  if (one.type.startsWith('Float')) return 'number';
  if (one.type === 'Date') return 'date';
  if (one.type.startsWith('DateTime')) return 'time';
  return one.type === 'Array' ? 'list' : 'text';
}

/** Return what can be chosen for a parameter. */
export function choicesOf(one: Parameter): readonly string[] {
  return one.enum?.length ? one.enum : ['true', 'false'];
}

/** Return a parameter's default as it is read; "" when there is none. */
export function defaultOf(one: Parameter): string {
  const value = one.default;
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A field for times has `T` in it and no seconds when they are 0; templates want both the other way. */
export function asTime(field: string): string {
  const text = field.replace('T', ' ');
  return /^\d{4}-\d\d-\d\d \d\d:\d\d$/.test(text) ? `${text}:00` : text;
}
