import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** What a folder must not import, by the specifier: `@switchyard/server/…` or `../../server/…`. */
const folders = (...names) => ({
  regex: `^(@switchyard/|(\\.\\.?/)+)(${names.join('|')})(/|$)`,
  message:
    'shared ← server, agent, web, bench: these know shared, and not each other (bench also drives the agent).',
});

/** A boundary: the files it is for, and what they must not import. Tests may put the parts together. */
const boundary = (files, ...patterns) => ({
  files,
  ignores: ['**/test/**', '**/*.test.ts'],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

const noTransactions = {
  selector: 'CallExpression[callee.property.name=/^(begin|beginDistributed)$/]',
  message:
    'One statement is one transaction. The client can send BEGIN on another connection at a pipeline boundary, so ' +
    'that an acknowledged write is never committed; server/db/migrate.ts alone uses it, with nothing else going on.',
};
const noHalfTests = {
  selector:
    'MemberExpression[object.name=/^(describe|suite|test|it)$/][property.name=/^(only|skip|todo|fails)$/]',
  message: 'A test runs, or it goes. Where a machine cannot run it, use test.runIf and say so aloud.',
};

// web/ has a configuration of its own: ESLint takes the one nearest to each file.
export default defineConfig(
  { ignores: ['**/node_modules/', '**/build/', '**/dist/', '**/.svelte-kit/', '.switchyard/', 'coverage/'] },
  js.configs.recommended,
  { languageOptions: { globals: globals.node }, linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['{shared,server,agent,bench}/**/*.ts', '*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A thrown value that is no Error has no stack, and ours always have one.
      '@typescript-eslint/only-throw-error': 'error',
      // An interface may be asynchronous where one of its implementations is not.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', noTransactions, noHalfTests],
    },
  },
  { files: ['server/db/migrate.ts'], rules: { 'no-restricted-syntax': ['error', noHalfTests] } },

  boundary(
    ['shared/**/*.ts'],
    folders('server', 'agent', 'web', 'bench'),
    // Browsers load it too.
    {
      regex: '^(?!zod($|/)|@noble/hashes/|\\.)',
      message: 'shared imports zod, @noble/hashes and itself, nothing else.',
    },
  ),
  boundary(['server/**/*.ts'], folders('agent', 'web', 'bench')),
  boundary(
    ['server/domain/**/*.ts'],
    folders('agent', 'web', 'bench'),
    { regex: '^(socket\\.io|hono|@hono)($|/|-)', message: 'The domain knows nothing of sockets or HTTP.' },
    {
      regex: '^(\\.\\./)+(socket|http|mcp|dispatch)(/|$)',
      message: 'The domain knows nothing of its callers.',
    },
  ),
  boundary(['agent/**/*.ts'], folders('server', 'web', 'bench')),
  boundary(['bench/**/*.ts'], folders('server', 'web')),
);
