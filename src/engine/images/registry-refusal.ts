import { RegistryError } from '../../remote/registry-error.ts';
import { Unreachable } from '../../remote/unreachable.ts';
import { familiarName, familiarString, type ImageReference, tagNameOnly } from '../../spec/reference.ts';
import { internal, notFound, unauthorized } from '../../util/errors.ts';

/** What went wrong with a registry, in the words and with the status of Docker (moby `distribution/errors.go`). */
export function pullError(error: unknown, reference: ImageReference): unknown {
  if (error instanceof Unreachable) return internal(error.message, error);
  if (!(error instanceof RegistryError)) return error;
  const { code, message } = error;
  const name = familiarName(reference.name);
  if (code === 'DENIED') {
    return notFound(
      `pull access denied for ${name}, repository does not exist or may require 'docker login': ${message}`,
      error,
    );
  }
  if (code === 'MANIFEST_UNKNOWN')
    return notFound(`manifest for ${familiarString(tagNameOnly(reference))} not found: ${message}`, error);
  if (code === 'NAME_UNKNOWN') return notFound(`repository ${name} not found: ${message}`, error);
  return code === 'UNAUTHORIZED' ? unauthorized(message, error) : internal(message, error);
}

/** The same where a registry's word stands as it is. */
export function registryRefusal(error: unknown): unknown {
  if (error instanceof Unreachable) return internal(error.message, error);
  if (!(error instanceof RegistryError)) return error;
  return error.code === 'UNAUTHORIZED' ? unauthorized(error.message, error) : internal(error.message, error);
}
