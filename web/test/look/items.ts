interface Draft {
  ref?: string;
  title: string;
  description?: string;
  task_type?: string;
  priority?: number;
  dependencies?: string[];
  parent_item_id?: string;
  files_planned?: string[];
  estimated_hours?: number;
  max_attempts?: number;
}

const draft = (ref: string, title: string, more: Omit<Draft, 'ref' | 'title'> = {}): Draft => ({
  ref,
  title,
  ...more,
});

export const smallItems: readonly Draft[] = [
  draft('tools', 'Set up the tool chain', { task_type: 'feature', priority: 0 }),
  draft('schema', 'Write the schema', { task_type: 'feature', priority: 0, files_planned: ['sql/'] }),
  draft('ci', 'Run the tests on every push', { task_type: 'test', priority: 1 }),
  draft('login', 'Sign in with a link by mail', { task_type: 'feature', priority: 2 }),
  draft('logo', 'Draw the logo', { priority: 6 }),
  draft('cart', 'Add up the cart', {
    task_type: 'feature',
    priority: 1,
    dependencies: ['schema'],
    files_planned: ['src/cart/*.ts'],
    estimated_hours: 6,
    description:
      'The cart adds up what is in it: prices of the day, discounts, tax by country.\n\nDone when:\n- every rule of docs/prices.md has a test\n- totals are whole cents, rounded once',
  }),
  draft('prices', 'Prices by customer group', {
    task_type: 'feature',
    priority: 2,
    files_planned: ['src/prices.ts', 'src/cart/totals.ts'],
    dependencies: ['schema'],
  }),
  draft('search', 'Find articles by words', {
    task_type: 'feature',
    priority: 2,
    files_planned: ['src/search/'],
  }),
  draft('mail', 'Confirm orders by mail', {
    task_type: 'feature',
    priority: 3,
    files_planned: ['src/mail/**'],
  }),
  draft('images', 'Shrink the images of articles', {
    task_type: 'refactor',
    priority: 4,
    files_planned: ['public/img/'],
  }),
  draft('import', "Read the supplier's price list", { task_type: 'feature', priority: 1, max_attempts: 1 }),
  draft('tax', 'Tax by country', {
    task_type: 'bug',
    priority: 0,
    max_attempts: 1,
    dependencies: ['schema'],
  }),
  draft('fax', 'Send orders by fax', { priority: 9 }),
  draft('checkout', 'Pay and order', {
    task_type: 'feature',
    priority: 1,
    dependencies: ['cart', 'tax', 'prices', 'login'],
  }),
  draft('refund', 'Give money back', { task_type: 'feature', priority: 3, dependencies: ['checkout'] }),
  draft('invoice', 'Write invoices', {
    task_type: 'feature',
    priority: 2,
    dependencies: ['checkout', 'mail'],
  }),
  draft('launch', 'Open the shop', { priority: 1, dependencies: ['checkout', 'invoice', 'search', 'load'] }),
  draft('load', 'Two hundred orders a minute for an hour', {
    task_type: 'test',
    priority: 3,
    dependencies: ['checkout'],
  }),
  draft('double', 'An order appears twice when the button is pressed twice', {
    task_type: 'bug',
    priority: 0,
    files_planned: ['src/order/create.ts'],
  }),
  draft('zero', 'An empty cart shows a total of NaN', {
    task_type: 'bug',
    priority: 1,
    files_planned: ['src/cart/totals.ts'],
  }),
  draft('slow', 'The list of orders takes four seconds', { task_type: 'bug', priority: 2 }),
  draft('colour', 'Buttons fail contrast in the dark theme', { task_type: 'bug', priority: 3 }),
  draft('docs', 'Say how to run it', { task_type: 'docs', priority: 4 }),
  draft('api', 'Describe the API', { task_type: 'docs', priority: 5 }),
  draft('moves', 'Move the old customers over', { priority: 3 }),
  draft('stock', 'Show what is in stock', { task_type: 'feature', priority: 4, dependencies: ['import'] }),
  draft('notes', 'Gift notes', { priority: 6 }),
  draft('wishes', 'Wish lists', { priority: 7 }),
  draft('points', 'Points for returning customers', { priority: 7, dependencies: ['checkout'] }),
  draft(
    'parts',
    'Split the cart module into totals, discounts and tax so that two agents no longer edit one file',
    {
      task_type: 'refactor',
      priority: 5,
      dependencies: ['cart', 'prices'],
    },
  ),
];

export const hardItems: readonly Draft[] = [
  draft('long', `A title that does not end: ${'and then there is more of it '.repeat(16)}`.slice(0, 500), {
    task_type: 'a-type-that-is-as-long-as-a-type-may-be-in-here',
    description: `${'w'.repeat(3_000)}\n\n${'Words and words. '.repeat(300)}`,
  }),
  draft('wide', 'W'.repeat(500), { priority: 9, files_planned: ['a'.repeat(300)] }),
  draft('hostile', '<img src=x onerror=alert(1)> {{7*7}} ${process.env} </script>', { priority: 0 }),
  draft('turned', 'שלום ‮dlrow olleh‬ مرحبا — right to left', { priority: 1 }),
  draft('failed', '💥'.repeat(60), { priority: 0, max_attempts: 1 }),
  draft('waits', 'Waits for many', { dependencies: Array.from({ length: 30 }, (_, at) => `n${at}`) }),
  ...Array.from({ length: 30 }, (_, at) =>
    draft(`n${at}`, `Number ${at + 1} of thirty`, { priority: at % 10 }),
  ),
];
