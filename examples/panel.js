/** A table beside the picture: what this page counts, and what the server made of it. */

const ASK_EVERY_MS = 2000;
const DRAW_EVERY_MS = 250;

/** Where this page's events go; on your page the address of your server. */
export const endpoint = new URL('../telemetry', location.href).href;
/** The same for CMCD, and for rows of a publisher. */
export const cmcdEndpoint = new URL('../cmcd', location.href).href;
export const rowsEndpoint = new URL('../v0/events', location.href).href;

/** Return the place of the panel, for what else belongs there. */
export function place() {
  return document.querySelector('#panel');
}

export function ms(value) {
  return typeof value === 'number' ? `${Math.round(value).toLocaleString()} ms` : '—';
}

export function kbps(value) {
  return value ? `${Math.round(value).toLocaleString()} kbit/s` : '—';
}

/**
 * Show the table, always up to date.
 *
 * `rows` are [title, text of ours, text of the server's]; `ours()` returns what is counted here, or
 * nothing; `address()` is where the server tells of it; `begun()` says whether it may know anything.
 */
export function panel({ title, rows, ours, address, begun }) {
  let theirs;
  const cells = build(title, rows);
  const link = document.querySelector('#address');

  function draw() {
    const mine = ours();
    rows.forEach(([, here, there], index) => {
      put(cells[index][0], mine ? here(mine) : undefined);
      put(cells[index][1], theirs ? there(theirs) : undefined);
    });
    if (link.textContent === address()) return;
    link.textContent = address();
    link.href = `..${address()}`;
    theirs = undefined;
  }

  async function look() {
    const asked = link.href;
    const answer = begun() ? await fetch(asked).catch(() => undefined) : undefined;
    if (answer?.ok && asked === link.href) theirs = await answer.json();
    setTimeout(look, ASK_EVERY_MS);
  }

  draw();
  setInterval(draw, DRAW_EVERY_MS);
  admitted().then(look);
}

function put(cell, value) {
  const text = String(value ?? '—');
  if (cell.textContent !== text) cell.textContent = text;
}

function element(name, text = '', attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function build(title, rows) {
  const head = element('tr');
  head.append(element('th', title, { scope: 'col' }), element('th', 'this page', { scope: 'col' }));
  head.append(element('th', 'the server', { scope: 'col' }));
  const body = element('tbody');
  const cells = rows.map(([name]) => {
    const row = element('tr');
    const pair = [element('td', '—'), element('td', '—')];
    row.append(element('th', name, { scope: 'row' }), ...pair);
    body.append(row);
    return pair;
  });
  const top = element('thead');
  top.append(head);
  const table = element('table');
  table.append(top, body);
  const later = element('p', 'What is not urgent reaches the server within ten seconds. All it knows: ', { class: 'said' });
  later.append(element('a', '', { id: 'address', target: '_blank', rel: 'noopener' }));
  place().append(table, later);
  return cells;
}

/** Resolve when this browser may ask the server: at once, or after a token was given. */
async function admitted() {
  const session = await fetch('../v1/session').catch(() => undefined);
  if (session?.ok) return;
  const form = element('form', '', { id: 'token' });
  const label = element('label', 'Token, to see what the server counts (admin.token in the data folder)');
  label.append(element('input', '', { type: 'password', name: 'token', autocomplete: 'off', required: '' }));
  const said = element('p', '', { class: 'said', role: 'status' });
  form.append(label, element('button', 'Show'), said);
  place().querySelector('table').after(form);
  await new Promise((resolve) => {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const token = new FormData(form).get('token').trim();
      const answer = await fetch('../v1/session', { method: 'POST', body: JSON.stringify({ token }) }).catch(() => undefined);
      if (answer?.ok) resolve();
      else said.textContent = (await answer?.json())?.message ?? 'The server does not answer.';
    });
  });
  form.remove();
}
