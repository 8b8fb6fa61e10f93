import { expect, test } from 'vitest';
import { checkTemplate } from './placeholders.ts';

test.each([
  [['sh', '-c', 'echo {title}'], 'SWITCHYARD_ITEM_TITLE'],
  [['/bin/bash', '-x', '-ec', 'echo {description}'], 'SWITCHYARD_ITEM_DESCRIPTION'],
  [['env', 'A=1', 'bash', '-o', 'pipefail', '-c', 'echo "{title}"'], 'SWITCHYARD_ITEM_TITLE'],
  [['timeout', '60', 'zsh', '-c', 'for f in {files}; do echo $f; done'], 'SWITCHYARD_ITEM_FILES'],
  [['node', '-e', 'console.log("{title}")'], 'SWITCHYARD_ITEM_TITLE'],
  [['python3.12', '-c', 'print("{title}")'], 'SWITCHYARD_ITEM_TITLE'],
  [['perl', '-ne', 'print "{title}"'], 'SWITCHYARD_ITEM_TITLE'],
  [['ssh', 'host', 'lint', '{title}'], 'SWITCHYARD_ITEM_TITLE'],
  [['{title}', '--help'], 'the command itself'],
  [['npx', '-c', 'lint {title}'], 'SWITCHYARD_ITEM_TITLE'],
])('%j would run what an item says, and is refused', (command, instead) => {
  expect(() => checkTemplate(command)).toThrow(instead);
});

test.each([
  [['claude', '-p', '{title}']],
  [['sh', '-c', 'echo {number} {id} "$1"', 'sh', '{title}']],
  [['sh', 'script.sh', '-c', '{title}']],
  [['python', 'agent.py', '-c', '{title}']],
  [['node', 'agent.js', '-e', '{title}']],
])('%j does not', (command) => {
  expect(() => checkTemplate(command)).not.toThrow();
});
