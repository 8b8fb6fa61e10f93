import type { Reporter, TestModule } from 'vitest/node';

/** Ends the output with one plain line for machines: `12 passed, 0 failed`. */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      // A file that does not even load has no tests, and a failed hook fails none.
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    // At the very end, when it is also known whether the run failed without a test having failed.
    process.once('exit', (code) => {
      if (code !== 0) counts.failed ||= 1;
      console.log(`${counts.passed} passed, ${counts.failed} failed`);
    });
  }
}
