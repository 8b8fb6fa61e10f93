import { expect, test } from 'vitest';
import { isFiltered, isOpen, readFilter, toggleOpen } from './filters.ts';

const parameters = (text: string) => new URLSearchParams(text);
const parent = '0198a1b2-0000-7000-8000-000000000001';

test('all filters are read from the address, and what makes no sense is passed over', () => {
  expect(
    readFilter(parameters(`q=+two+words+&type=bug,docs&agent=anna&priority=0&parent=${parent}`)),
  ).toEqual({ q: 'two words', task_type: ['bug', 'docs'], agent: 'anna', priority: 0, parent });
  expect(readFilter(parameters('parent=none'))).toEqual({ parent: 'none' });
  expect(readFilter(parameters('q=+&type=No+Slug&agent=&priority=10&parent=elsewhere'))).toEqual({});
  expect(readFilter(parameters(`agent=${'x'.repeat(256)}&q=${'x'.repeat(300)}`))).toEqual({
    q: 'x'.repeat(200),
  });
  expect([isFiltered({}), isFiltered({ priority: 0 })]).toEqual([false, true]);
});

test('what is over is folded unless shown, the rest shown unless hidden', () => {
  const shown = (text: string) =>
    ['todo', 'claimed', 'failed', 'done', 'cancelled'].filter((column) => isOpen(column, parameters(text)));
  expect(shown('')).toEqual(['todo', 'claimed', 'failed']);
  expect(shown('show=done&hide=todo,failed')).toEqual(['claimed', 'done']);
  expect(toggleOpen('done', parameters(''))).toEqual({ show: 'done' });
  expect(toggleOpen('cancelled', parameters('show=done'))).toEqual({ show: 'done,cancelled' });
  expect(toggleOpen('done', parameters('show=done'))).toEqual({ show: null });
  expect(toggleOpen('todo', parameters('hide=failed,todo'))).toEqual({ hide: 'failed' });
});
