/** The same question in other languages. The token is always a placeholder: no secret leaves this page. */

export interface Code {
  id: string;
  name: string;
  text: string;
}

const TOKEN = 'YOUR_TOKEN';

/** Return code that asks an endpoint with these parameters. */
export function codes(address: string, params: Readonly<Record<string, string>>): readonly Code[] {
  const pairs = Object.entries(params);
  return [
    { id: 'curl', name: 'curl', text: curl(address, pairs) },
    { id: 'js', name: 'JavaScript', text: script(address, pairs) },
    { id: 'python', name: 'Python', text: python(address, pairs) },
  ];
}

type Pairs = readonly (readonly [string, string])[];

function curl(address: string, pairs: Pairs): string {
  const lines = [`curl -sG ${shell(address)}`, `-H "Authorization: Bearer $TOKEN"`];
  for (const [name, value] of pairs) lines.push(`--data-urlencode ${shell(`${name}=${value}`)}`);
  return `TOKEN=${TOKEN}\n${lines.join(' \\\n  ')}`;
}

function script(address: string, pairs: Pairs): string {
  const set = pairs.map(([name, value]) => `url.searchParams.set(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  return `const url = new URL(${JSON.stringify(address)});
${set.join('')}const response = await fetch(url, { headers: { Authorization: 'Bearer ${TOKEN}' } });
if (!response.ok) throw new Error((await response.json()).error);
const { data } = await response.json();
`;
}

function python(address: string, pairs: Pairs): string {
  const query = pairs.length
    ? `query = urllib.parse.urlencode({${pairs.map(([name, value]) => `${literal(name)}: ${literal(value)}`).join(', ')}})\n`
    : '';
  const url = pairs.length ? `${literal(address)} + "?" + query` : literal(address);
  return `import json
import urllib.parse
import urllib.request

${query}request = urllib.request.Request(${url}, headers={"Authorization": "Bearer ${TOKEN}"})
with urllib.request.urlopen(request) as response:
    rows = json.load(response)["data"]
`;
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A JSON text is a Python text too, except for letters that need two units: those are written out. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u{10000}-\u{10ffff}]/gu, (letter) =>
    `\\U${(letter.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`,
  );
}
