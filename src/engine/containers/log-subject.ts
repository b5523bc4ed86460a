import type { LogSubject } from '../logs/log-subject.ts';
import type { Container } from './model.ts';

/** A container as the tag and the attributes of its log are made of it. */
export function logSubject({
  id,
  name,
  imageId,
  created,
  config,
  hostConfig,
  path,
  args,
  files,
}: Container): LogSubject {
  return {
    id,
    name,
    imageId,
    created,
    imageName: config.Image,
    command: [path, ...args],
    labels: config.Labels,
    env: config.Env,
    path: hostConfig.LogConfig.Type === 'json-file' ? files.log : '',
  };
}
