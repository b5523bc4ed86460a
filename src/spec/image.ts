import * as v from 'valibot';
import { ContainerConfigSchema } from './container.ts';
import { flag, text } from './json.ts';

/** Where an image runs, in the OCI's terms. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/**
 * An image config (OCI image-spec `config.md`, and Docker's superset of it), as far as the engine reads it.
 * The bytes it was parsed from are what is stored: a config is never serialised again.
 */
export const ImageConfigSchema = v.looseObject({
  architecture: text(),
  os: text(),
  variant: text(),
  created: text(),
  author: text(),
  comment: text(),
  container: text(),
  docker_version: text(),
  config: v.optional(
    v.pipe(
      v.nullable(ContainerConfigSchema),
      v.transform((config) => config ?? v.parse(ContainerConfigSchema, {})),
    ),
    {},
  ),
  rootfs: v.object({
    type: text(),
    diff_ids: v.optional(
      v.pipe(
        v.nullable(v.array(v.string())),
        v.transform((d) => d ?? []),
      ),
      [],
    ),
  }),
  history: v.optional(
    v.pipe(
      v.nullable(
        v.array(
          v.object({ created: text(), created_by: text(), author: text(), comment: text(), empty_layer: flag() }),
        ),
      ),
      v.transform((entries) => entries ?? []),
    ),
    [],
  ),
});
export type ImageConfig = v.InferOutput<typeof ImageConfigSchema>;
