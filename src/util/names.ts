import { randomInt } from 'node:crypto';

const ADJECTIVES =
  'able amber ample arctic autumn bold brave breezy bright brisk calm candid careful cheerful clear clever cosy crisp curious daring deft dusky eager early earnest easy fair fearless fleet fond frank fresh gentle glad golden grand hardy hearty honest humble jolly keen kind lively loyal lucid lucky mellow merry mighty mild modest neat nimble noble patient placid plucky polite proud prudent quick quiet ready rustic serene sharp silver sincere smooth snug sober solid spry steady stout sturdy sunny swift tender thrifty tidy tranquil upbeat valiant vivid warm wise witty zesty'.split(
    ' ',
  );

const SURNAMES =
  'abel ada agnesi archimedes avogadro babbage bernoulli bohr boole bose brahe cantor cauchy chandra cori curie darwin descartes diesel dirac edison einstein erdos euclid euler faraday fermat fermi feynman fibonacci fourier franklin galileo galois gauss germain godel goodall hamilton hertz herschel hilbert hodgkin hooke hopper hubble huygens hypatia jacobi joule kelvin kepler knuth kovalevskaya lagrange lamarr laplace leavitt leibniz liskov lovelace maxwell mendel meitner mirzakhani napier newton noether nobel ohm pascal pasteur payne planck poincare ptolemy ramanujan rubin sagan shannon somerville tesla turing vega volta watt wiles wing wu yalow'.split(
    ' ',
  );

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? '';

/**
 * A name for what nobody named: `adjective_surname`, and from the `attempt`th retry on (0: first try) with a digit, which makes
 * a clash ever less likely.
 */
export function randomName(attempt = 0): string {
  const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
  return attempt === 0 ? name : `${name}${randomInt(10 ** Math.min(attempt, 9))}`;
}
