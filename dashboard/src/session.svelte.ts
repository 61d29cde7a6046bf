/** Who looks: a cookie stands for the token, this page keeps none. */

import { decoded } from './address.svelte.ts';
import { ask, Problem } from './ask.ts';

export interface Who {
  kind: string;
  name: string;
  property: string | null;
  expires_at: string | null;
}

let who = $state.raw<Who | null>(null);
let known = $state(false);
let problem = $state.raw<Problem | null>(null);
const AGAIN_MS = 2_000;

async function look(): Promise<void> {
  try {
    who = (await ask<Who>({ path: 'v1/session' })).data;
    problem = null;
    known = true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401 || error.status === 403) {
      [who, known, problem] = [null, true, null];
      return;
    }
    problem = error;
    setTimeout(() => void look(), AGAIN_MS);
  }
}

/** A link may bring a token (`#token=…`): it is taken out of the URL at once. */
function brought(): string {
  const token = /^#token=([^&]+)(?:&(.*))?$/s.exec(location.hash);
  if (!token?.[1]) return '';
  history.replaceState(null, '', `#${token[2] ?? '/now'}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
  return decoded(token[1]);
}

// A link with a token may be opened in this very page: then nothing is loaded anew.
addEventListener('hashchange', () => {
  if (known) void session.begin();
});

export const session = {
  /** Null: nobody has signed in. */
  get who(): Who | null {
    return who;
  },
  /** False until the server has said who looks. */
  get known(): boolean {
    return known;
  },
  get problem(): Problem | null {
    return problem;
  },
  get isAdmin(): boolean {
    return who?.kind === 'admin';
  },
  async begin(): Promise<void> {
    const token = brought();
    if (token) await session.signIn(token).catch(() => undefined);
    if (!known) await look();
  },
  /** Throws `Problem` when the token is not taken. */
  async signIn(token: string): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify({ token }) };
    who = (await ask<Who>({ path: 'v1/session' }, init)).data;
    known = true;
  },
  async signOut(): Promise<void> {
    await ask({ path: 'v1/session' }, { method: 'DELETE' });
    who = null;
  },
  /** The server does not know the cookie any more. */
  lost(): void {
    who = null;
  },
};
