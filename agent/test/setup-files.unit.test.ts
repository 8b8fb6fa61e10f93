import { chmodSync, lstatSync, mkdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clients } from '../setup/client-names.ts';
import { nodeAt, parseJson, removeJson, setJson, type JsonPath } from '../setup/json-text.ts';
import { FileRefused } from '../setup/text-file.ts';
import { Repository } from './setup-repository.ts';

const crlf = (text: string) => text.replaceAll('\n', '\r\n');

/** Files that people have, each with something that is easily lost. */
const claudeSettings = `// Our settings
{
    "permissions": { "allow": ["Bash(npm test)"], /* more to come */ },
    "hooks": {
        "PreToolUse": [
            { "matcher": "Bash", "hooks": [{ "type": "command", "command": "./check.sh" }] } // ours
            // { "matcher": "Read" }
        ],
        "Notification": []
    },
    "env": {"A": "1"} // the last one
}
`;
const codexConfig = `# Codex
model = "gpt-6"   # the good one

[mcp_servers.docs]
command = "npx"
args = [
  "-y",
  "docs-mcp", # a comment
]

[mcp_servers.docs.env]
TEXT = """
[mcp_servers.switchyard]
is only text
"""

[[profiles]]
name = 'a'
# the end`;

describe('[SU1] an empty folder', () => {
  test.each(clients)('gets what %s reads, and is as before once that is removed', async (client) => {
    const repository = new Repository();
    expect(await repository.dids(client, 'write')).toEqual(['added']);
    expect(Object.keys(repository.files()).sort()).toMatchSnapshot();
    expect(await repository.dids(client, 'check')).toEqual(['unchanged']);
    const written = repository.files();
    expect(await repository.dids(client, 'write')).toEqual(['unchanged']);
    expect(repository.files()).toEqual(written);
    expect(await repository.dids(client, 'remove')).toEqual(['removed']);
    expect(repository.files()).toEqual({});
    expect(lstatSync(repository.path('.claude'), { throwIfNoEntry: false })).toBeUndefined();
  });

  test('the server is started from the folder, knows its project, and is given no token', async () => {
    const repository = new Repository();
    for (const client of clients) await repository.setup(client, 'write', { url: 'http://hub.test:4800' });
    expect(repository.json('.mcp.json')).toEqual({
      mcpServers: {
        switchyard: {
          type: 'stdio',
          command: 'npx',
          args: ['--no-install', 'switchyard', 'mcp'],
          env: {
            SWITCHYARD_PROJECT: 'shop',
            SWITCHYARD_CLIENT: 'claude',
            SWITCHYARD_URL: 'http://hub.test:4800',
          },
        },
      },
    });
    expect(repository.json('.cursor/mcp.json')).toMatchObject({
      mcpServers: {
        switchyard: { command: 'node', args: ['${workspaceFolder}/node_modules/.bin/switchyard', 'mcp'] },
      },
    });
    expect(repository.json('.gemini/settings.json')).toMatchObject({
      mcpServers: {
        switchyard: { env: { SWITCHYARD_CLIENT: 'gemini', SWITCHYARD_TOKEN: '${SWITCHYARD_TOKEN:-}' } },
      },
    });
    expect(repository.read('~/.codex/config.toml')).toMatchSnapshot();
    expect(repository.json('.claude/settings.json')).toMatchSnapshot();
    expect(repository.json('.cursor/hooks.json')).toMatchSnapshot();
    expect(Object.values(repository.files()).join('')).not.toMatch(/swy_/);
  });

  test('without switchyard in it, what is on the PATH or the program that runs is named', async () => {
    const repository = new Repository({}, { local: false });
    await repository.setup('claude', 'write');
    expect(repository.read('.claude/settings.json')).toMatch(
      /"node \S+\/agent\/bin\.mjs hook stop --client claude --project shop"/,
    );
    repository.write('bin/switchyard', '');
    chmodSync(repository.path('bin/switchyard'), 0o755);
    const env = {
      ...repository.env,
      PATH: `${repository.path('node_modules/.bin')}:${repository.path('bin')}`,
    };
    expect(await repository.dids('claude', 'check', { env })).toEqual(['stale', 'unchanged']);
    expect(await repository.dids('claude', 'write', { env })).toEqual(['updated', 'unchanged']);
    expect(repository.read('.claude/settings.json')).toMatch(
      /"switchyard hook stop --client claude --project shop"/,
    );
  });
});

describe('[SU2] files that are there', () => {
  const there: Record<string, string> = {
    '.mcp.json': '{"mcpServers":{"docs":{"command":"docs"}},"x":[1,2]}',
    '.claude/settings.json': claudeSettings,
    '.cursor/mcp.json': '{\n\t"mcpServers": {\n\t\t"docs": { "url": "http://x" },\n\t},\n}\n',
    '.cursor/hooks.json': '{ "version": 1, "hooks": { "stop": [] } }',
    '.codex/hooks.json': '{}\n',
    '.gemini/settings.json': crlf(
      '{\n  "mcpServers": {},\n  "hooks": { "AfterAgent": [\n  ] },\n  "ui": {}\n}',
    ),
    '~/.codex/config.toml': codexConfig,
    'AGENTS.md': '\uFEFF# Agents\n\nBe kind.',
    'CLAUDE.md': crlf('# Claude\n\n- one\n- two\n'),
    'GEMINI.md': '# Gemini\n\n\n',
  };

  test('are as they were, byte for byte, once all is removed', async () => {
    const repository = new Repository(there);
    for (const client of clients) expect(await repository.dids(client, 'write')).not.toContain('refused');
    for (const client of clients) expect(await repository.dids(client, 'check')).toEqual(['unchanged']);
    const written = repository.files();
    for (const path of Object.keys(there)) expect(written[path]).not.toBe(there[path]);
    for (const client of clients) expect(await repository.dids(client, 'remove')).toEqual(['removed']);
    expect(repository.files()).toEqual(there);
  });

  test('keep every byte that is not ours', async () => {
    const repository = new Repository(there);
    for (const client of clients) await repository.setup(client, 'write');
    // What was added is cut out of the text again: what is left is the old text, but for commas between old and new.
    expect(repository.read('.claude/settings.json')).toMatchSnapshot();
    expect(repository.read('.cursor/mcp.json')).toMatchSnapshot();
    expect(repository.read('.mcp.json')).toMatchSnapshot();
    expect(
      repository.read('~/.codex/config.toml').startsWith(`${codexConfig}\n\n[mcp_servers.switchyard]\n`),
    ).toBe(true);
    expect(repository.read('CLAUDE.md').startsWith(there['CLAUDE.md']!)).toBe(true);
    expect(repository.read('CLAUDE.md').replaceAll('\r\n', '')).not.toContain('\n');
    expect(repository.read('.gemini/settings.json').replaceAll('\r\n', '')).not.toContain('\n');
    expect(repository.read('AGENTS.md').startsWith(there['AGENTS.md']!)).toBe(true);
  });

  test('keep what came after ours', async () => {
    const repository = new Repository({ '.mcp.json': '{\n  "mcpServers": {\n    "a": {}\n  }\n}\n' });
    await repository.setup('claude', 'write');
    repository.write(
      '.mcp.json',
      repository.read('.mcp.json').replace(/\n {4}\}\n/, '\n    },\n    "b": {}\n'),
    );
    repository.write('CLAUDE.md', `${repository.read('CLAUDE.md')}\nMore.\n`);
    expect(await repository.dids('claude', 'remove')).toEqual(['removed']);
    expect(repository.files()).toEqual({
      '.mcp.json': '{\n  "mcpServers": {\n    "a": {},\n    "b": {}\n  }\n}\n',
      'CLAUDE.md': 'More.\n',
    });
  });

  test('are not given an import of AGENTS.md that they have, or that is the same file', async () => {
    const repository = new Repository({ 'CLAUDE.md': '# Claude\n\n@AGENTS.md\n' });
    expect((await repository.setup('claude', 'write')).at(-1)).toEqual({
      file: 'CLAUDE.md',
      entry: 'import of AGENTS.md',
      did: 'unchanged',
    });
    unlinkSync(repository.path('CLAUDE.md'));
    symlinkSync('AGENTS.md', repository.path('CLAUDE.md'));
    expect((await repository.setup('claude', 'write')).map(({ file }) => file)).not.toContain('CLAUDE.md');
    repository.write('.gemini/settings.json', '{"context": {"fileName": ["GEMINI.md", "AGENTS.md"]}}');
    expect((await repository.setup('gemini', 'write')).map(({ file }) => file)).not.toContain('GEMINI.md');
  });

  test('that clients share keep the block until the last of them goes', async () => {
    const repository = new Repository();
    await repository.setup('claude', 'write');
    await repository.setup('codex', 'write');
    expect(await repository.setup('cursor', 'remove')).toContainEqual({
      file: 'AGENTS.md',
      entry: 'block',
      did: 'absent',
    });
    await repository.setup('claude', 'remove');
    expect(repository.read('AGENTS.md')).toContain('switchyard:begin for codex (');
    await repository.setup('codex', 'remove');
    expect(repository.files()).toEqual({});
  });
});

test('[SU2] any JSON text is as it was once an entry is taken out again', () => {
  const keys = fc.constantFrom('mcpServers', 'hooks', 'Stop', 'a', '__proto__', '');
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc.dictionary(keys, tie('value'), { maxKeys: 3 }),
  })).object;
  const layout = fc.record({
    indent: fc.constantFrom('', '  ', '\t'),
    eol: fc.constantFrom('\n', '\r\n'),
    end: fc.boolean(),
  });
  const paths = fc.constantFrom<JsonPath>(
    ['mcpServers', 'switchyard'],
    ['hooks', 'Stop', -1],
    ['switchyard'],
  );
  fc.assert(
    fc.property(tree, layout, paths, (value, { indent, eol, end }, path) => {
      const text = JSON.stringify(value, null, indent).replaceAll('\n', eol) + (end ? eol : '');
      let added: string;
      try {
        added = setJson(text, path, { command: 'switchyard', args: [{ a: [] }, {}] });
      } catch (error) {
        if (error instanceof FileRefused) return; // something else is where it would go
        throw error;
      }
      const parsed: unknown = JSON.parse(added);
      expect(parsed).not.toEqual(value);
      const array = nodeAt(parseJson(added), path.slice(0, -1))?.children ?? [];
      const at = path.at(-1) === -1 ? [...path.slice(0, -1), array.length - 1] : path;
      expect(removeJson(added, at)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

describe('[SU3] what a person changed', () => {
  test('is missing or stale to --check, which changes nothing, and mended by the next run', async () => {
    const repository = new Repository();
    await repository.setup('claude', 'write');
    const good = repository.files();
    const settings = JSON.parse(good['.claude/settings.json']!) as { hooks: Record<string, unknown> };
    delete settings.hooks.Stop;
    repository.write('.claude/settings.json', JSON.stringify(settings, null, 2) + '\n');
    repository.write(
      '.mcp.json',
      good['.mcp.json']!.replace('"npx"', '"switchyard"').replace(/"--no-install",\s*"switchyard",\s*/, ''),
    );
    repository.write('AGENTS.md', good['AGENTS.md']!.replace('Several', 'Some'));
    const changed = repository.files();
    expect(await repository.setup('claude', 'check')).toMatchObject([
      { file: '.mcp.json', did: 'stale' },
      { entry: 'hook SessionStart', did: 'unchanged' },
      { entry: 'hook PreToolUse', did: 'unchanged' },
      { entry: 'hook PostToolUse', did: 'unchanged' },
      { entry: 'hook Stop', did: 'missing' },
      { file: 'AGENTS.md', did: 'stale' },
      { file: 'CLAUDE.md', did: 'unchanged' },
    ]);
    expect(repository.files()).toEqual(changed);
    await repository.setup('claude', 'write');
    expect(repository.files()).toEqual(good);
  });

  test('is left and told of when it is no longer as setup writes it, by a removal too', async () => {
    const repository = new Repository();
    for (const client of ['claude', 'codex'] as const) await repository.setup(client, 'write');
    repository.write(
      '.mcp.json',
      repository.read('.mcp.json').replace('"env": {', '"env": {\n        "SWITCHYARD_AGENT": "anna",'),
    );
    repository.write(
      '.claude/settings.json',
      repository.read('.claude/settings.json').replace('Edit|Write|', 'Edit|'),
    );
    repository.write(
      '~/.codex/config.toml',
      repository.read('~/.codex/config.toml').replace('command = "npx"', 'command = "mine"'),
    );
    const changed = repository.files();
    const left = { did: 'left', why: 'was changed by hand' };
    for (const mode of ['write', 'check'] as const) {
      const outcomes = await repository.setup('claude', mode, { project: 'other' });
      expect(outcomes).toContainEqual({ file: '.mcp.json', entry: 'server "switchyard"', ...left });
      expect(outcomes).toContainEqual({ file: '.claude/settings.json', entry: 'hook PreToolUse', ...left });
      expect(await repository.setup('codex', mode)).toContainEqual({
        file: '~/.codex/config.toml',
        entry: 'server "switchyard"',
        ...left,
      });
    }
    await repository.setup('claude', 'remove');
    expect(repository.read('.mcp.json')).toBe(changed['.mcp.json']);
    expect(repository.json('.claude/settings.json')).toMatchObject({ hooks: { PreToolUse: [{}] } });
  });

  test('is known for a hook of ours behind words of theirs', async () => {
    const theirs = {
      hooks: {
        Stop: [{ hooks: [{ type: 'command', command: 'cd /x && switchyard hook stop --client claude' }] }],
      },
    };
    const repository = new Repository({ '.claude/settings.json': JSON.stringify(theirs) });
    const outcomes = await repository.setup('claude', 'write');
    expect(outcomes.find(({ entry }) => entry === 'hook Stop')).toMatchObject({ did: 'left' });
    expect(repository.json('.claude/settings.json')).toMatchObject(theirs);
  });

  test('is no entry for another project in the file that all repositories share', async () => {
    const repository = new Repository();
    await repository.setup('codex', 'write', { project: 'other' });
    const before = repository.read('~/.codex/config.toml');
    expect((await repository.setup('codex', 'write'))[0]).toEqual({
      file: '~/.codex/config.toml',
      entry: 'server "switchyard"',
      did: 'left',
      why: 'is for project "other": use --local, or --remove it first',
    });
    expect(repository.read('~/.codex/config.toml')).toBe(before);
    expect((await repository.setup('codex', 'write', { local: true }))[0]).toMatchObject({
      file: '.codex/config.toml',
      did: 'added',
    });
  });
});

describe('[SU4] a file that cannot be changed is left, and does not hold up the others', () => {
  const refusals: [string, string, string][] = [
    ['.mcp.json', '{"mcpServers": {', 'is not valid JSON: close brace expected in line 1, column 17'],
    ['.mcp.json', '[]', 'does not hold a JSON object'],
    ['.mcp.json', '{"mcpServers": []}', 'has "mcpServers", which is no object'],
    ['.mcp.json', '{"mcpServers": {}, "mcpServers": {}}', 'has "mcpServers" twice'],
    ['.claude/settings.json', '{"hooks": {"Stop": {}}}', 'has "hooks.Stop", which is no array'],
    [
      'AGENTS.md',
      '<!-- switchyard:begin for codex -->\nhm',
      'has a line switchyard:begin without switchyard:end: mend it by hand',
    ],
    [
      'AGENTS.md',
      '<!-- switchyard:end -->\n',
      'has a line switchyard:end without switchyard:begin: mend it by hand',
    ],
  ];
  test.each(refusals)('%s with %j', async (path, text, why) => {
    const repository = new Repository({ [path]: text });
    const outcomes = await repository.setup('claude', 'write');
    expect(outcomes).toContainEqual({ file: path, entry: null, did: 'refused', why });
    expect(outcomes.filter(({ did }) => did === 'added').length).toBeGreaterThan(2);
    expect(repository.read(path)).toBe(text);
  });

  test.each([
    ['a = ', 'is not valid TOML: '],
    [
      'mcp_servers = { docs = { command = "x" } }\n',
      'is laid out so that mcp_servers.switchyard cannot be changed alone: change it by hand',
    ],
  ])('config.toml with %j', async (text, why) => {
    const repository = new Repository({ '~/.codex/config.toml': text });
    const [outcome] = await repository.setup('codex', 'write');
    expect(outcome).toMatchObject({ did: 'refused', why: expect.stringContaining(why) as string });
    expect(repository.read('~/.codex/config.toml')).toBe(text);
  });

  test('one that is read-only, a folder, a link to nothing, or no text', async () => {
    const repository = new Repository({ '.mcp.json': '{}' });
    chmodSync(repository.path('.mcp.json'), 0o444);
    mkdirSync(repository.path('AGENTS.md'));
    symlinkSync('nowhere', repository.path('CLAUDE.md'));
    mkdirSync(repository.path('.claude'));
    writeFileSync(repository.path('.claude/settings.json'), Buffer.from([0x7b, 0xff, 0x7d]));
    expect((await repository.setup('claude', 'write')).map(({ why }) => why)).toEqual([
      'is read-only',
      'is not UTF-8 text',
      'is a folder',
      'is a link to nothing',
    ]);
    expect(repository.read('.mcp.json')).toBe('{}');
  });
});

test('[SU5] links are followed, and modes kept', async () => {
  const repository = new Repository({ 'shared/mcp.json': '{}' });
  chmodSync(repository.path('shared/mcp.json'), 0o640);
  symlinkSync('shared/mcp.json', repository.path('.mcp.json'));
  await repository.setup('claude', 'write');
  expect(lstatSync(repository.path('.mcp.json')).isSymbolicLink()).toBe(true);
  expect(repository.json('shared/mcp.json')).toHaveProperty('mcpServers');
  expect(statSync(repository.path('shared/mcp.json')).mode & 0o777).toBe(0o640);
  await repository.setup('claude', 'remove');
  expect(repository.read('shared/mcp.json')).toBe('{}');
});

test('[SU6] an address with a password, or none at all, is not written', async () => {
  const repository = new Repository();
  for (const url of ['http://anna:secret@hub', 'hub:4800'])
    await expect(repository.setup('claude', 'write', { url })).rejects.toThrow(/--url/);
  expect(repository.files()).toEqual({});
});
