import { localRemote } from '../../remote/remote-fixture.ts';
import { openStore } from '../../store/store.ts';
import { silentLog } from '../../util/log.ts';
import { openImages } from './images.ts';

// Loads standard input into the data root it is given, to be killed while it does.
const [dataRoot = ''] = process.argv.slice(2);
const store = await openStore({ dataRoot, log: silentLog() });
const images = await openImages({
  store,
  events: { emit: () => {}, subscribe: () => (async function* () {})() },
  inUse: () => ({ running: [], stopped: [] }),
  standingOn: () => [],
  remote: localRemote(),
  maxDownloads: 3,
  maxUploads: 5,
  log: silentLog(),
});
const { signal } = new AbortController();
process.stdout.write('ready\n');
for await (const line of images.load(process.stdin, { quiet: true, signal })) process.stdout.write(line.stream ?? '');
await images.remove('x:1', { force: false, noprune: false });
process.stdout.write('removed\n');
