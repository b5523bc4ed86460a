import type { Client } from '../client/client.ts';
import { parsePlatform } from '../spec/platform.ts';
import { messageOf } from '../util/errors.ts';
import { ExitError } from './command.ts';

/** How the API is told a platform that the user wrote as `os[/arch[/variant]]`. @throws `ExitError` in Docker's words. */
function toJson(text: string): string {
  try {
    const { architecture, os, variant } = parsePlatform(text);
    return JSON.stringify({ architecture, os, ...(variant === undefined ? {} : { variant }) });
  } catch (error) {
    throw new ExitError(1, `invalid platform: ${messageOf(error)}`);
  }
}

/**
 * The platforms of the flag `--platform` for a query, none when it was not given.
 *
 * @param since the API version, 1.n, that knows the parameter.
 * @throws `ExitError` for one that cannot be read, or an engine that is too old.
 */
export async function platformQuery(client: Client, texts: readonly string[], since: number): Promise<string[]> {
  const platforms = texts.filter((text) => text !== '').map(toJson);
  if (platforms.length === 0) return [];
  const version = await client.apiVersion();
  if (Number(version.split('.')[1]) < since) {
    throw new ExitError(
      1,
      `"--platform" requires API version 1.${since}, but the Docker daemon API version is ${version}`,
    );
  }
  return platforms;
}
