import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: ['default', './server/test/setup/summary.ts'],
    // A forgotten .only would let everything else pass unseen.
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{shared,server,agent,bench,web}/**/*.unit.test.ts', 'shared/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{server,agent,web}/test/**/*.test.ts'],
          exclude: ['**/*.unit.test.ts'],
          globalSetup: 'server/test/setup/postgres.ts',
          maxWorkers: 2,
          testTimeout: 15_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
