// To be required by a daemon: its wall clock is off by as many milliseconds as the file named by CLOCK_OFFSET says. Clocks that nobody can set,
// and so timers, stay as they are; that is what a change of the host's clock is like.
'use strict';
const { readFileSync } = require('node:fs');
const RealDate = Date;
const offset = () => Number(readFileSync(process.env.CLOCK_OFFSET, 'utf8'));
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offset());
    else super(...given);
  }
  static now() {
    return RealDate.now() + offset();
  }
};
