/** Compare the public API with the report in `etc/`; `--write` renews it. Run after a build. */

import { readdirSync, mkdirSync } from 'node:fs';
import extractor from '@microsoft/api-extractor';
import { ENTRIES } from './entries.mjs';

const { Extractor, ExtractorConfig } = extractor;
const root = new URL('..', import.meta.url).pathname;
process.chdir(root);
const write = process.argv.includes('--write');
mkdirSync('etc', { recursive: true });
let changed = 0;
for (const name of ENTRIES) {
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: `${root}dist/${name}.d.ts`,
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: `${root}etc`,
        reportTempFolder: `${root}.build/api`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: { tsconfigFilePath: `${root}tsconfig.json` },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'none' } },
        extractorMessageReporting: {
          default: { logLevel: 'error' },
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-unresolved-link': { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'none' },
          'ae-undocumented': { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
    configObjectFullPath: `${root}api-extractor.json`,
    packageJsonFullPath: `${root}package.json`,
  });
  const result = Extractor.invoke(config, { localBuild: write, showVerboseMessages: false });
  if (!write && result.apiReportChanged) changed += 1;
  if (!result.succeeded && !result.apiReportChanged) changed += 1;
}
const kept = readdirSync('etc').filter((file) => file.endsWith('.api.md')).length;
if (changed || kept !== ENTRIES.length) {
  console.error('The public API differs from player/etc. If that is meant: npm run build && npm run api -- --write');
  process.exit(1);
}
