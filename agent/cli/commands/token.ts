import { buildCommand, buildRouteMap } from '@stricli/core';
import { roles, type Role, type Token } from '@switchyard/shared/project';
import { Misuse } from '../../command.ts';
import type { Cli } from '../context.ts';
import { docs, jsonFlag, text, type JsonFlag } from '../flags.ts';
import { table } from '../table.ts';
import { fromNow } from '../time.ts';

interface CreateFlags extends JsonFlag {
  readonly role: Role;
  readonly project?: string;
  readonly agent?: string;
  readonly label?: string;
  readonly expires?: string;
}

const create = buildCommand({
  async func(this: Cli, { role, project, agent, label, expires }: CreateFlags) {
    const answer = await this.call('token.create', {
      role,
      project,
      agent_id: agent,
      label: label ?? [agent, role].filter(Boolean).join(', '),
      expires_at: expires,
    });
    const { token } = answer;
    this.out.result(answer, () => token.token);
    if (!this.out.json)
      this.out.note(
        `A token for ${whose(token)}, shown this once. Use it as SWITCHYARD_TOKEN; to end it: switchyard token revoke ${token.id}`,
      );
  },
  parameters: {
    flags: {
      ...jsonFlag,
      role: {
        kind: 'enum',
        values: roles,
        brief: 'viewer looks, agent claims and works, operator does everything',
      },
      project: text('name', 'For this project only'),
      agent: text('name', 'For this agent only, whatever it says it is'),
      label: text('text', 'What it is for, as token list shows it'),
      expires: {
        kind: 'parsed',
        parse: instantFrom,
        optional: true,
        placeholder: '30d|12h|date',
        brief: 'Good until then (for ever, when left out)',
      },
    },
  },
  docs: docs({
    brief: 'Make a token; stdout has the secret and nothing else',
    usage: '--role viewer|agent|operator [flags]',
    examples: [
      [
        '--role agent --project shop --label "build machine" --expires 30d',
        'For agents of one project, for a month',
      ],
    ],
  }),
});

const list = buildCommand({
  async func(this: Cli, _: JsonFlag) {
    const { tokens } = await this.call('token.list', {});
    this.out.result({ tokens }, () =>
      table(this.out, tokens, [
        { title: 'ID', of: ({ id }) => id },
        {
          title: 'STATE',
          of: stateOf,
          paint: (shown, token) => (stateOf(token) === 'good' ? shown : this.out.style('dim', shown)),
        },
        { title: 'ROLE', of: ({ role }) => role },
        { title: 'AGENT', of: ({ agent_id }) => agent_id ?? '' },
        { title: 'EXPIRES', of: ({ expires_at }) => (expires_at === null ? '' : fromNow(expires_at)) },
        { title: 'MADE', of: ({ created_at }) => fromNow(created_at) },
        { title: 'LABEL', of: ({ label }) => label, flexible: true },
      ]),
    );
  },
  parameters: { flags: jsonFlag },
  docs: docs({
    brief: 'List tokens, without their secrets',
    usage: '[--json]',
    examples: [['', 'Who may come in']],
  }),
});

const revoke = buildCommand({
  async func(this: Cli, _: JsonFlag, id: string) {
    const answer = await this.call('token.revoke', { id });
    this.out.result(
      answer,
      () => `Revoked: ${answer.token.label} (${whose(answer.token)}). Its connections are closed.`,
    );
  },
  parameters: {
    flags: jsonFlag,
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, placeholder: 'ID', brief: 'As token list shows it' }],
    },
  },
  docs: docs({
    brief: 'Revoke a token; its connections are closed within 2 s',
    usage: 'ID [--json]',
    examples: [['0198c5c1-6d2e-7b0a-a3d5-3f0e8a1c9b77', 'Nobody comes in with that token any more']],
  }),
});

export const token = buildRouteMap({
  routes: { create, list, revoke },
  docs: { brief: 'Make, list and revoke tokens' },
});

function whose({ role, agent_id }: Token): string {
  return agent_id === null ? `the role ${role}` : `${agent_id}, role ${role}`;
}

function stateOf({ revoked_at, expires_at }: Token): string {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) < Date.now() ? 'expired' : 'good';
}

const unitMs = { h: 3_600_000, d: 86_400_000 };

/** `30d`, `12h`, or a date, as an instant. */
function instantFrom(input: string): string {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(input) ?? [];
  const at = count === undefined ? Date.parse(input) : Date.now() + Number(count) * unitMs[unit as 'h' | 'd'];
  if (!(at > Date.now())) throw new Misuse('give 30d, 12h, or a date to come, as 2030-01-31');
  return new Date(at).toISOString();
}
