import { openDb } from '../../store/db.ts';
import { silentLog } from '../../util/log.ts';
import { joinRequest, ownPort } from './network-fixture.ts';
import { openNetworkStack } from './networks.ts';

/** A daemon for the tests of recovery: `node crash-child.ts DIR ENGINE-ID`; joins two containers, says so, and waits to be killed. */
const [, , dir = '', engineId = ''] = process.argv;
const db = openDb(`${dir}/meta.db`);
const roots = { execRoot: dir, dataRoot: dir, engineId, db };
const stack = await openNetworkStack({ ...roots, dns: [], poolSize: 3, log: silentLog() });
await stack.recover(new Set());
const sandboxes = [
  await stack.join(joinRequest('stays', { portBindings: ownPort() })),
  await stack.join(joinRequest('goes', { portBindings: ownPort() })),
];
process.stdout.write(JSON.stringify(sandboxes));
setInterval(() => {}, 60_000);
