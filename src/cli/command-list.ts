import type { Command } from './command.ts';

/** A command's place in help texts, and how to get it; nothing of it is loaded before it is called. */
export interface Listed {
  summary: string;
  load: () => Promise<Command>;
}

const lazy = (summary: string, load: () => Promise<Command>): Listed => ({ summary, load });

const attach = lazy(
  'Attach local standard input, output, and error streams to a running container',
  async () => (await import('./commands/attach.ts')).attach,
);
const commit = lazy(
  "Create a new image from a container's changes",
  async () => (await import('./commands/commit.ts')).commit,
);
const cp = lazy(
  'Copy files/folders between a container and the local filesystem',
  async () => (await import('./commands/cp.ts')).cp,
);
const diff = lazy(
  "Inspect changes to files or directories on a container's filesystem",
  async () => (await import('./commands/diff.ts')).diff,
);
const exportContainer = lazy(
  "Export a container's filesystem as a tar archive",
  async () => (await import('./commands/export.ts')).exportContainer,
);
const create = lazy('Create a new container', async () => (await import('./commands/create.ts')).create);
const exec = lazy('Execute a command in a running container', async () => (await import('./commands/exec.ts')).exec);
const kill = lazy('Kill one or more running containers', async () => (await import('./commands/kill.ts')).kill);
const logs = lazy('Fetch the logs of a container', async () => (await import('./commands/logs.ts')).logs);
const ps = lazy('List containers', async () => (await import('./commands/ps.ts')).ps);
const pause = lazy(
  'Pause all processes within one or more containers',
  async () => (await import('./commands/pause.ts')).pause,
);
const port = lazy(
  'List port mappings or a specific mapping for the container',
  async () => (await import('./commands/port.ts')).port,
);
const rename = lazy('Rename a container', async () => (await import('./commands/rename.ts')).rename);
const restart = lazy('Restart one or more containers', async () => (await import('./commands/restart.ts')).restart);
const rm = lazy('Remove one or more containers', async () => (await import('./commands/rm.ts')).rm);
const run = lazy('Create and run a new container from an image', async () => (await import('./commands/run.ts')).run);
const start = lazy('Start one or more stopped containers', async () => (await import('./commands/start.ts')).start);
const stats = lazy(
  'Display a live stream of container(s) resource usage statistics',
  async () => (await import('./commands/stats.ts')).stats,
);
const stop = lazy('Stop one or more running containers', async () => (await import('./commands/stop.ts')).stop);
const top = lazy('Display the running processes of a container', async () => (await import('./commands/top.ts')).top);
const unpause = lazy(
  'Unpause all processes within one or more containers',
  async () => (await import('./commands/unpause.ts')).unpause,
);
const update = lazy(
  'Update configuration of one or more containers',
  async () => (await import('./commands/update.ts')).update,
);
const wait = lazy(
  'Block until one or more containers stop, then print their exit codes',
  async () => (await import('./commands/wait.ts')).wait,
);
const history = lazy('Show the history of an image', async () => (await import('./commands/history.ts')).history);
const images = lazy('List images', async () => (await import('./commands/images.ts')).images);
const importImage = lazy(
  'Import the contents from a tarball to create a filesystem image',
  async () => (await import('./commands/import.ts')).importImage,
);
const load = lazy('Load an image from a tar archive or STDIN', async () => (await import('./commands/load.ts')).load);
const pull = lazy('Download an image from a registry', async () => (await import('./commands/pull.ts')).pull);
const push = lazy('Upload an image to a registry', async () => (await import('./commands/push.ts')).push);
const login = lazy('Authenticate to a registry', async () => (await import('./commands/login.ts')).login);
const logout = lazy('Log out from a registry', async () => (await import('./commands/logout.ts')).logout);
const rmi = lazy('Remove one or more images', async () => (await import('./commands/rmi.ts')).rmi);
const search = lazy('Search Docker Hub for images', async () => (await import('./commands/search.ts')).search);
const save = lazy(
  'Save one or more images to a tar archive (streamed to STDOUT by default)',
  async () => (await import('./commands/save.ts')).save,
);
const tag = lazy(
  'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  async () => (await import('./commands/tag.ts')).tag,
);
const events = lazy('Get real time events from the server', async () => (await import('./commands/events.ts')).events);
const info = lazy('Display system-wide information', async () => (await import('./commands/info.ts')).info);
const inspect = lazy(
  'Return low-level information on Docker objects',
  async () => (await import('./commands/inspect.ts')).inspect,
);
const version = lazy(
  'Show the Docker version information',
  async () => (await import('./commands/version.ts')).version,
);

/** Commands of the program itself, shown in two parts of its help text. */
export const COMMON: Readonly<Record<string, Listed>> = {
  run,
  exec,
  ps,
  pull,
  push,
  images,
  login,
  logout,
  search,
  version,
  info,
};
export const OTHERS: Readonly<Record<string, Listed>> = {
  attach,
  commit,
  cp,
  create,
  diff,
  events,
  export: exportContainer,
  history,
  import: importImage,
  inspect,
  kill,
  load,
  logs,
  pause,
  port,
  rename,
  restart,
  rm,
  rmi,
  save,
  start,
  stats,
  stop,
  tag,
  top,
  unpause,
  update,
  wait,
};

export interface Group {
  summary: string;
  commands: Readonly<Record<string, Listed>>;
  /** Other names of its commands. */
  aliases: Readonly<Record<string, string>>;
}

export const GROUPS: Readonly<Record<string, Group>> = {
  container: {
    summary: 'Manage containers',
    commands: {
      attach,
      commit,
      cp,
      create,
      diff,
      exec,
      export: exportContainer,
      inspect: lazy(
        'Display detailed information on one or more containers',
        async () => (await import('./commands/container-inspect.ts')).containerInspect,
      ),
      kill,
      logs,
      ls: ps,
      pause,
      port,
      prune: lazy(
        'Remove all stopped containers',
        async () => (await import('./commands/container-prune.ts')).containerPrune,
      ),
      rename,
      restart,
      rm,
      run,
      start,
      stats,
      stop,
      top,
      unpause,
      update,
      wait,
    },
    aliases: { list: 'ls', ps: 'ls', remove: 'rm' },
  },
  image: {
    summary: 'Manage images',
    commands: {
      history,
      import: importImage,
      inspect: lazy(
        'Display detailed information on one or more images',
        async () => (await import('./commands/image-inspect.ts')).imageInspect,
      ),
      load,
      ls: images,
      prune: lazy('Remove unused images', async () => (await import('./commands/image-prune.ts')).imagePrune),
      pull,
      push,
      rm: rmi,
      save,
      tag,
    },
    aliases: { list: 'ls', remove: 'rm' },
  },
  system: {
    summary: 'Manage Gantry',
    commands: {
      check: lazy(
        'Check what is stored of images, and repair it',
        async () => (await import('./commands/system-check.ts')).systemCheck,
      ),
      df: lazy('Show docker disk usage', async () => (await import('./commands/system-df.ts')).systemDf),
      events,
      info,
      prune: lazy('Remove unused data', async () => (await import('./commands/system-prune.ts')).systemPrune),
    },
    aliases: {},
  },
  volume: {
    summary: 'Manage volumes',
    commands: {
      create: lazy('Create a volume', async () => (await import('./commands/volume-create.ts')).volumeCreate),
      inspect: lazy(
        'Display detailed information on one or more volumes',
        async () => (await import('./commands/volume-inspect.ts')).volumeInspect,
      ),
      export: lazy(
        "Export a volume's content as a tar archive",
        async () => (await import('./commands/volume-export.ts')).volumeExport,
      ),
      import: lazy(
        'Unpack a tar archive into a volume, which is created if it does not exist',
        async () => (await import('./commands/volume-import.ts')).volumeImport,
      ),
      ls: lazy('List volumes', async () => (await import('./commands/volume-ls.ts')).volumeLs),
      prune: lazy('Remove unused local volumes', async () => (await import('./commands/volume-prune.ts')).volumePrune),
      rm: lazy('Remove one or more volumes', async () => (await import('./commands/volume-rm.ts')).volumeRm),
    },
    aliases: { list: 'ls', remove: 'rm' },
  },
};
