import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const socketElsewhere = {
  name: 'socket.io-client',
  message:
    'The board speaks to the hub through src/lib/live, so that one place knows of reconnects and gaps.',
};
const otherFolders = {
  regex: '^(@switchyard/|(\\.\\.?/)+)(server|agent|bench)(/|$)',
  message: 'The board knows shared, and of the hub what goes over the wire.',
};

export default defineConfig(
  { ignores: ['build/', '.svelte-kit/'] },
  {
    files: ['src/**/*.{ts,svelte}', 'vite.config.ts'],
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked, svelte.configs.recommended],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
        parser: tseslint.parser,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      eqeqeq: 'error',
      // Items lie in plain Maps, and views of them are replaced whole: deep proxies took 129 ms a frame where this takes 2.
      'svelte/prefer-svelte-reactivity': 'off',
      'no-restricted-imports': ['error', { paths: [socketElsewhere], patterns: [otherFolders] }],
    },
  },
  {
    // These start the hub that the board is served by.
    files: ['test/**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      globals: { ...globals.node, ...globals.browser },
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: { eqeqeq: 'error', '@typescript-eslint/consistent-type-imports': 'error' },
  },
  {
    files: ['src/lib/live/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [otherFolders] }] },
  },
);
