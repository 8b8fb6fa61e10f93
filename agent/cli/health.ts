import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { commands } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import { isFromHub } from '../http.ts';
import { NoHub, urlOfHub } from '../hub-address.ts';
import type { Cli } from './context.ts';
import { clientChecks } from './health-clients.ts';
import { version } from './version.ts';
import { messageFor } from './wording.ts';

/** One thing that was looked at: how it is, in words, and what to do about it. */
export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  message: string;
  advice?: string;
}

const run = promisify(execFile);
const answerMs = 5_000;
const clockMsMax = 5_000;
const nodeLeast = [22, 18] as const;

/** Looks at everything that a command needs, each thing only where those before it allow. */
export async function examine(cli: Cli, project: string | undefined): Promise<Check[]> {
  const checks: Check[] = [node(), await git(), ...(await clientChecks(cli))];
  const address = hubAddress(cli);
  checks.push(address);
  if (address.state === 'fail') return checks;
  const hub = await hubAnswers(urlOfHub(cli.env));
  checks.push(...hub);
  if (hub.some(({ state }) => state === 'fail')) return checks;
  const access = await token(cli);
  checks.push(access);
  if (access.state === 'fail') return checks;
  checks.push(await sameCommands(cli));
  return [...checks, ...(await projectAndRole(cli, project))];
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > nodeLeast[0] || (major === nodeLeast[0] && minor >= nodeLeast[1]);
  const check: Check = {
    name: 'node',
    state: 'ok',
    message: `Node ${process.versions.node}, switchyard ${version}`,
  };
  if (fits) return check;
  return { ...check, state: 'fail', advice: `Install Node ${nodeLeast.join('.')} or newer.` };
}

async function git(): Promise<Check> {
  const name = 'git';
  try {
    await run('git', ['--version']);
  } catch {
    const advice = 'Install git: switchyard run needs it to see which files change.';
    return { name, state: 'warn', message: 'There is no git', advice };
  }
  try {
    const { stdout } = await run('git', ['rev-parse', '--show-toplevel']);
    return { name, state: 'ok', message: `The repository ${stdout.trim()}` };
  } catch {
    const advice = 'Paths are relative to the project’s root: call switchyard there.';
    return { name, state: 'warn', message: 'This folder is in no git repository', advice };
  }
}

function hubAddress(cli: Cli): Check {
  const name = 'address';
  try {
    const url = urlOfHub(cli.env);
    const from = cli.env.SWITCHYARD_URL ? 'SWITCHYARD_URL' : 'the default; SWITCHYARD_URL says otherwise';
    return { name, state: 'ok', message: `${url} (${from})` };
  } catch (error) {
    return { name, state: 'fail', message: messageFor(error as Error) };
  }
}

/** Whether a hub is there, has its database, and has the same time. */
async function hubAnswers(url: string): Promise<Check[]> {
  const ask = (path: string) => fetch(new URL(path, url), { signal: AbortSignal.timeout(answerMs) });
  const advice = 'Start it with switchyard up (or npm start) in its checkout, or correct SWITCHYARD_URL.';
  try {
    const health = await ask('/healthz');
    if (!(await isFromHub(health)))
      return [{ name: 'hub', state: 'fail', message: 'What answers there is no hub', advice }];
    const difference = clock(health.headers.get('date'));
    const isReady = (await ask('/readyz')).ok;
    if (isReady)
      return [{ name: 'hub', state: 'ok', message: 'It answers, and so does its database' }, difference];
    const message = 'It answers, but has no database';
    return [{ name: 'hub', state: 'fail', message, advice: 'Look into the hub’s log.' }, difference];
  } catch (error) {
    const why = (error as Error).cause ?? error;
    const message = `Nothing answers (${why instanceof Error ? why.message : String(why)})`;
    return [{ name: 'hub', state: 'fail', message, advice }];
  }
}

/** Leases go by the database's clock; here a clock only shows, so that a difference is no fault. */
function clock(date: string | null): Check {
  const differenceMs = date === null ? 0 : Date.now() - Date.parse(date);
  // The header has whole seconds.
  if (Math.abs(differenceMs) < clockMsMax)
    return { name: 'clock', state: 'ok', message: 'The hub’s clock and this one agree' };
  const seconds = Math.round(Math.abs(differenceMs) / 1_000);
  return {
    name: 'clock',
    state: 'warn',
    message: `This machine’s clock is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} the hub’s`,
    advice: 'Times are shown by this clock; leases go by the hub’s. Let NTP set both.',
  };
}

async function token(cli: Cli): Promise<Check> {
  const name = 'token';
  const from = cli.env.SWITCHYARD_TOKEN ? 'of SWITCHYARD_TOKEN' : 'that the hub left on this machine';
  try {
    await cli.call('project.list', {});
    return { name, state: 'ok', message: `The token ${from} is good` };
  } catch (error) {
    if (error instanceof NoHub) return { name, state: 'fail', message: error.message };
    const advice = 'Make one where you have a good one: switchyard token create --role agent';
    return {
      name,
      state: 'fail',
      message: `The token ${from} is not: ${messageFor(error as Error)}`,
      advice,
    };
  }
}

/** Hub and command line may be of different days: what counts is that the hub knows every command sent from here. */
async function sameCommands({ hub }: Cli): Promise<Check> {
  const name = 'version';
  const headers = { authorization: `Bearer ${hub.token}` };
  const answer = await fetch(new URL('/api/openapi.json', hub.url), {
    headers,
    signal: AbortSignal.timeout(answerMs),
  });
  const text = await answer.text();
  const unknown = Object.keys(commands).filter((command) => !text.includes(`"operationId":"${command}"`));
  if (unknown.length === 0)
    return { name, state: 'ok', message: 'The hub knows every command of this switchyard' };
  const advice = 'Bring both to the same version.';
  return { name, state: 'warn', message: `The hub does not know ${unknown.join(', ')}`, advice };
}

async function projectAndRole(cli: Cli, flag: string | undefined): Promise<Check[]> {
  try {
    const name = await cli.project(flag);
    const { project } = await cli.call('project.get', { project: name });
    const found: Check = {
      name: 'project',
      state: 'ok',
      message: `${project.name}, policy ${project.conflict_policy}`,
    };
    return [found, await role(cli, project.name)];
  } catch (error) {
    const isNone = error instanceof Refusal && error.code === 'NOT_FOUND';
    return [{ name: 'project', state: isNone ? 'fail' : 'warn', message: messageFor(error as Error) }];
  }
}

/** A hub tells nobody what they may do; asking for what changes nothing finds out. */
async function role(cli: Cli, project: string): Promise<Check> {
  const may = (asked: Promise<unknown>) =>
    asked.then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal && error.code === 'FORBIDDEN') return false;
        throw error;
      },
    );
  const agent_id = await cli.actor(undefined);
  if (await may(cli.call('token.list', {})))
    return { name: 'role', state: 'ok', message: `operator: may do everything; works as ${agent_id}` };
  if (await may(cli.call('item.check_files', { project, agent_id, files: ['doctor'] })))
    return { name: 'role', state: 'ok', message: `agent: may claim and work, as ${agent_id}` };
  const advice = 'To claim work, use a token of the role agent.';
  return { name: 'role', state: 'warn', message: 'viewer: may only look', advice };
}
