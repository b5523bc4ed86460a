import { AuthConfigSchema, credentialsOf } from '../../spec/auth-config.ts';
import { readJson } from '../json-body.ts';
import { readRegistryAuth } from '../registry-auth.ts';
import { type Route, route } from '../router.ts';

/** What is asked of registries on a client's behalf. */
export const distributionRoutes: readonly Route[] = [
  route('POST', '/auth', async (x, reply) => {
    const body = await readJson(x.req, AuthConfigSchema, { root: 'AuthConfig', optional: true });
    const token = await x.engine.distribution.login(body.serveraddress, credentialsOf(body), x.signal);
    reply.json({ IdentityToken: token, Status: 'Login Succeeded' });
  }),
  route('GET', '/distribution/:name*/json', async (x, reply) => {
    const { mediaType, digest, size, platforms } = await x.engine.distribution.inspect(
      x.param('name'),
      readRegistryAuth(x.req),
      x.signal,
    );
    reply.json({ Descriptor: { mediaType, digest, size }, Platforms: platforms });
  }),
];
