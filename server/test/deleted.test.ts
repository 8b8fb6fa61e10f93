// A project is deleted while it is worked on.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, connectAgent, newProject, refusal, startTestHub, type TestHub } from './setup/hub.ts';
import { complete, newItems } from './setup/steps.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const remove = ({ id, name }: { id: string; name: string }) =>
  call(hub, 'project.delete', { project: id, confirm: name });

test('[VA20] an agent that is connected is told that it is gone, whatever it asks for', async () => {
  const project = await newProject(hub);
  const [held, other] = await newItems(hub, project, 2);
  const agent = await connectAgent(hub, project.name, 'a', { capacity: 2 });
  await agent.call('item.claim', { id: held!.id });
  await remove(project);
  const asked = [
    () => agent.call('item.claim_next', { project: project.id }),
    () => agent.call('item.claim', { id: other!.id }),
    () => complete(agent, held!),
    () => agent.call('item.create', { project: project.id, title: 'more' }),
    () => agent.call('project.watch', { project: project.id }),
  ];
  for (const ask of asked) expect(await refusal(ask())).toMatchObject({ code: 'NOT_FOUND' });
});

test('[VA20] of all that races the deletion, each is done or told that the project is gone', async () => {
  for (let round = 0; round < 5; round++) {
    const project = await newProject(hub);
    await newItems(hub, project, 10);
    const racing = Array.from({ length: 60 }, (_, n) => [
      call(hub, 'item.claim_next', { project: project.id, agent_id: `a${n}` }),
      call(hub, 'token.create', { project: project.id, role: 'agent', label: 'late' }),
    ]).flat();
    const answers = Promise.all(
      racing.map((one) =>
        one.then(
          () => null,
          () => refusal(one),
        ),
      ),
    );
    await remove(project);
    for (const answer of await answers) if (answer) expect(answer).toMatchObject({ code: 'NOT_FOUND' });
  }
});
