/** A CMCD door for tests: a real HTTP server that keeps what it is sent. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Door {
  url: string;
  bodies: string[];
  /** Statuses of the next answers; then 204. */
  answers: number[];
  /** Resolves once so many records have come, or the last one. */
  records(count: number, isLast?: (line: string) => boolean): Promise<string[]>;
  close(): void;
}

export async function openDoor(): Promise<Door> {
  const bodies: string[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      const status = answers.shift() ?? 204;
      if (status === 204) bodies.push(body);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((open) => server.listen(0, '127.0.0.1', open));
  const { port } = server.address() as AddressInfo;
  const lines = (): string[] => bodies.flatMap((body) => body.split('\n'));
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    answers,
    async records(count, isLast = () => false) {
      for (let waited = 0; lines().length < count && !lines().some(isLast) && waited < 3_000; waited += 10) {
        await new Promise((later) => setTimeout(later, 10));
      }
      return lines();
    },
    close: () => (server.closeAllConnections(), server.close()),
  };
}

/** An element that plays: what of one the relay reads, and its events. */
export class Element extends EventTarget {
  currentTime = 0;
  paused = true;
  ended = false;
  seeking = false;
  autoplay = false;
  playbackRate = 1;
  videoHeight = 0;

  raise(type: string): void {
    this.dispatchEvent(new Event(type));
  }

  asMedia(): HTMLMediaElement {
    return this as unknown as HTMLMediaElement;
  }
}
