/** What is around every player: the snippet of the page, and what has to be made before it works. */

const LOOK_AGAIN_MS = 3000;
const NEEDED = ['../sdk/index.js', 'lib/versions.json', 'media/made.json'];

/** Show the marked region of the page's own script. */
async function snippet() {
  const place = document.querySelector('#snippet');
  if (!place) return;
  const answer = await fetch(location.pathname.replace(/^.*\/(.*)\.html$/, '$1.js'));
  const region = /\/\/ region snippet\n([^]*?)\n\/\/ endregion/.exec(await answer.text());
  place.textContent = (region?.[1] ?? '').replace(/^.*\/\/ only here\n/gm, '');
}

/** Return what the server says of the first file that is not there; nothing when all are. */
async function missing() {
  for (const name of NEEDED) {
    const answer = await fetch(name).catch(() => undefined);
    if (!answer) return 'The server does not answer.';
    if (!answer.ok) {
      const { message, hint } = await answer.json();
      return `${message} ${hint}`;
    }
  }
  return '';
}

/** Say what is missing until it is there, then begin anew: the player's script may have failed. */
async function watch(said) {
  const place = document.querySelector('#missing');
  const text = await missing();
  if (said && !text) location.reload();
  if (text !== said) place.textContent = text;
  place.className = text ? 'notice' : '';
  if (text) setTimeout(() => watch(text), LOOK_AGAIN_MS);
}

snippet();
watch('');
