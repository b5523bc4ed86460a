import { invalid, notFound } from '../../util/errors.ts';
import { goRegExp } from '../../util/go-regexp.ts';
import type { Filters, NetworkView } from '../engine.ts';

const PREDEFINED = new Set(['bridge', 'host', 'none']);

type Test = (network: NetworkView, value: string) => boolean;

/** Docker's fuzzy match: equal, or the value as a regular expression is found in it. */
const fuzzy = (text: string, value: string): boolean => text === value || goRegExp(value)?.test(text) === true;

const label: Test = ({ labels }, value) => {
  const [key = '', ...rest] = value.split('=');
  return Object.hasOwn(labels, key) && (rest.length === 0 || labels[key] === rest.join('='));
};

const type: Test = ({ name }, value) => {
  if (value !== 'custom' && value !== 'builtin') throw invalid(`invalid filter: 'type'='${value}'`);
  return PREDEFINED.has(name) === (value === 'builtin');
};

const dangling: Test = ({ name }, value) => {
  if (!/^(true|1|false|0)$/.test(value)) {
    throw invalid(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`);
  }
  // The predefined networks, the only ones there are, always count as used.
  return PREDEFINED.has(name) === (value === 'false' || value === '0');
};

const TESTS: Readonly<Record<string, Test>> = {
  id: ({ id }, value) => fuzzy(id, value),
  name: ({ name }, value) => fuzzy(name, value),
  driver: ({ driver }, value) => driver === value,
  scope: (_, value) => value === 'local',
  label,
  type,
  dangling,
};

/**
 * Docker's filters for networks: keys are ANDed, the values of a key ORed, labels all required.
 *
 * @throws `invalid` for an unknown key or value.
 */
export function selectNetworks(networks: readonly NetworkView[], filters: Filters): NetworkView[] {
  const unknown = [...filters.keys()].find((key) => !Object.hasOwn(TESTS, key));
  if (unknown !== undefined) throw invalid(`Invalid filter '${unknown}'`);
  return networks.filter((network) =>
    [...filters].every(([key, values]) => {
      const test = TESTS[key];
      if (test === undefined || values.length === 0) return true;
      const matches = values.map((value) => test(network, value));
      return key === 'label' ? matches.every(Boolean) : matches.some(Boolean);
    }),
  );
}

/** Finds a network by id, else by name, else by a prefix of its id. @throws `not-found`; `invalid` when ambiguous. */
export function findNetwork(networks: readonly NetworkView[], ref: string): NetworkView {
  const exact = networks.find(({ id }) => id === ref) ?? networks.find(({ name }) => name === ref);
  if (exact !== undefined) return exact;
  const [first, ...others] = ref === '' ? [] : networks.filter(({ id }) => id.startsWith(ref));
  if (first === undefined) throw notFound(`network ${ref} not found`);
  if (others.length > 0) {
    throw invalid(`network ${ref} is ambiguous (${others.length + 1} matches found based on ID prefix)`);
  }
  return first;
}
