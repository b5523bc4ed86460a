import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import { specJson } from './stored.ts';

/** A container in another's network has that one's host name, and the very files that go with it. */
export function takeOverNames(parts: Pick<Parts, 'rows'>, container: Container, owner: Container): void {
  const { hostname, hosts, resolvConf } = owner.files;
  container.files = { ...container.files, hostname, hosts, resolvConf };
  const { Hostname, Domainname } = owner.config;
  if (container.config.Hostname === Hostname && container.config.Domainname === Domainname) return;
  Object.assign(container.config, { Hostname, Domainname });
  parts.rows.saveSpec(container.id, specJson(container));
}
