import { hostname } from 'node:os';
import { shortId } from '../../util/id.ts';
import { GO_TYPE } from '../../util/template/go-print.ts';
import { compileTemplate } from '../../util/template/template.ts';
import { extraAttributes } from './extra-attributes.ts';
import type { LogSubject } from './log-subject.ts';

/**
 * The tag of a container's messages: the option `tag`, a Go template, filled in; the container's short id when there is none.
 *
 * @throws `invalid` in Docker's words.
 */
export function tagOf(config: Readonly<Record<string, string>>, subject: LogSubject): string {
  return compileTemplate(config['tag'] || '{{.ID}}', { name: 'log-tag' }).execute(tagFields(config, subject));
}

/** What a template of Docker's can ask of a container: the fields and methods of its `logger.Info`. */
function tagFields(config: Readonly<Record<string, string>>, subject: LogSubject): object {
  const { id, name, imageId, imageName, created, command, labels, env, path } = subject;
  const [entrypoint = '', ...args] = command;
  return {
    [GO_TYPE]: '*logger.Info',
    Config: config,
    ContainerID: id,
    ContainerName: `/${name}`,
    ContainerEntrypoint: entrypoint,
    ContainerArgs: args,
    ContainerImageID: imageId,
    ContainerImageName: imageName,
    ContainerCreated: created.replace('T', ' ').replace('Z', ' +0000 UTC'),
    ContainerEnv: env,
    ContainerLabels: labels,
    LogPath: path,
    DaemonName: 'docker',
    ID: shortId(id),
    FullID: id,
    Name: name,
    // As Docker cuts it, with its algorithm in front.
    ImageID: imageId.slice(0, 12),
    ImageFullID: imageId,
    ImageName: imageName,
    Command: command.join(' '),
    Hostname: hostname(),
    ExtraAttributes: (...given: unknown[]) => {
      if (given.length !== 1) throw new Error(`wrong number of args for ExtraAttributes: want 1 got ${given.length}`);
      return extraAttributes(config, subject);
    },
  };
}
