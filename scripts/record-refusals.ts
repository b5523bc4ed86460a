import { writeFileSync } from 'node:fs';
import { importBusybox } from '../test/support/both.ts';
import { startDockerd } from '../test/support/dockerd.ts';
import { ask, REFUSALS_FILE, type Refusal, readRefusals } from '../test/support/refusals.ts';

// Asks a dockerd every call of test/data/refusals.json again and writes down what it answers. To add a call, add a row with an
// empty answer of dockerd and run this.

await using dockerd = await startDockerd();
await importBusybox(dockerd);
const rows: Refusal[] = [];
for (const row of readRefusals()) rows.push({ ...row, dockerd: await ask(dockerd, row.call) });
writeFileSync(REFUSALS_FILE, `${JSON.stringify(rows, null, 2)}\n`);
