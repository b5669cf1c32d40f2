#!/usr/bin/env node
/* eslint-disable @typescript-eslint/no-require-imports */
/** The installed command: as `npm run leadline`, without TypeScript. */
require('./thread-pool.cjs')
void import('./cli.js')
