/** Countries: their names, and where they are on the map. */

/** ISO 3166 codes of the countries of the map, two letters and three digits each. */
const CODES =
  'AE784AF004AL008AM051AO024AR032AT040AU036AZ031BA070BD050BE056BF854BG100BI108BJ204BN096BO068BR076BS044' +
  'BT064BW072BY112BZ084CA124CD180CF140CG178CH756CI384CL152CM120CN156CO170CR188CU192CY196CZ203DE276DJ262' +
  'DK208DO214DZ012EC218EE233EG818EH732ER232ES724ET231FI246FJ242FK238FR250GA266GB826GE268GH288GL304GM270' +
  'GN324GQ226GR300GT320GW624GY328HN340HR191HT332HU348ID360IE372IL376IN356IQ368IR364IS352IT380JM388JO400' +
  'JP392KE404KG417KH116KP408KR410KW414KZ398LA418LB422LK144LR430LS426LT440LU442LV428LY434MA504MD498ME499' +
  'MG450MK807ML466MM104MN496MR478MW454MX484MY458MZ508NA516NC540NE562NG566NI558NL528NO578NP524NZ554OM512' +
  'PA591PE604PG598PH608PK586PL616PR630PS275PT620PY600QA634RO642RS688RU643RW646SA682SB090SD729SE752SI705' +
  'SK703SL694SN686SO706SR740SS728SV222SY760SZ748TD148TF260TG768TH764TJ762TL626TM795TN788TR792TT780TW158' +
  'TZ834UA804UG800US840UY858UZ860VE862VN704VU548YE887ZA710ZM894ZW716';

/** Shapes of the map without a number of their own, by the name they have there. */
const NAMED: Readonly<Record<string, string>> = { XK: 'Kosovo' };

const names = new Intl.DisplayNames(undefined, { type: 'region', fallback: 'code' });
const byCode = new Map<string, string>(Object.entries(NAMED));
for (let at = 0; at < CODES.length; at += 5) byCode.set(CODES.slice(at, at + 2), CODES.slice(at + 2, at + 5));

/** Return the id of a country's shape on the map, undefined of one that is too small for it. */
export function shapeOf(code: string): string | undefined {
  return byCode.get(code.toUpperCase());
}

/** Return the name of a country in the viewer's language; what is no code stays as it is. */
export function countryName(code: string): string {
  if (code === '') return 'unknown';
  if (!/^[A-Za-z]{2}$/.test(code)) return code;
  return names.of(code.toUpperCase()) ?? code;
}
