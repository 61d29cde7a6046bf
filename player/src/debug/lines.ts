/** What the debug overlay prints: one line of plain text for each thing the transport did. */

import type { Report } from '../types.ts';
import type { WireEvent } from '../wire/event.ts';

const NAMES_MAX = 6;

/** One line; `details` are lines below it, such as events the server refused. */
export interface Line {
  at: string;
  what: Report['what'];
  text: string;
  details: string[];
}

/** Says what a report means, with the server's reasons for each event it did not take. */
export function lineOf(report: Report): Line {
  const { at, what, text, events = [], status, body = '' } = report;
  const named = events.length ? `${events.length}: ${namesOf(events)}` : '';
  const said = what === 'answer' ? answerOf(status ?? 0, body) : sentenceOf(what, text);
  const line = [said, what === 'answer' ? '' : named].filter(Boolean).join(' · ');
  return { at: clock(at), what, text: line, details: what === 'answer' ? refusals(body, events) : [] };
}

/** Says in words what a report says in short. */
function sentenceOf(what: Report['what'], text: string): string {
  switch (what) {
    case 'sent':
      return text === 'beacon' ? 'by beacon' : `${text} characters`;
    case 'retry':
      return `in ${text} ms`;
    case 'kept':
      return `${text === '0' ? 'no answer' : text}: left for the next visit`;
    case 'stopped':
      return 'the server wants no more';
    default:
      return text;
  }
}

/** A wall clock's time, to the ms: what the events' own timestamps are compared with. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

function namesOf(events: WireEvent[]): string {
  const names = events.slice(0, NAMES_MAX).map(({ eventType, seq }) => `${eventType}#${seq ?? '?'}`);
  return names.join(' ') + (events.length > NAMES_MAX ? ' …' : '');
}

interface Told {
  accepted?: number;
  rejected?: { index: number; code: string; message: string }[];
  message?: string;
}

function told(body: string): Told {
  try {
    return (JSON.parse(body) as Told | null) ?? {};
  } catch {
    return {};
  }
}

function answerOf(status: number, body: string): string {
  if (!status) return `no answer: ${body}`;
  const { accepted, rejected = [], message } = told(body);
  if (accepted === undefined) return `${status} ${message ?? body}`;
  return `${status} · ${accepted} taken, ${rejected.length} not`;
}

function refusals(body: string, events: WireEvent[]): string[] {
  return (told(body).rejected ?? []).map(({ index, code, message }) => {
    const event = events[index];
    return `${event ? namesOf([event]) : `event ${index}`}: ${code} – ${message}`;
  });
}
