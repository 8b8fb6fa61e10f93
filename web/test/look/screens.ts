import { seen, type Camera } from './camera.ts';
import type { Stage } from './stages.ts';

interface Screen {
  name: string;
  show: (camera: Camera, stage: Stage) => Promise<void>;
}

/** A screen at an address of the project, and what is done there before it is ready for its picture. */
const screen = (
  name: string,
  path: (stage: Stage) => string,
  ready: (camera: Camera, stage: Stage) => Promise<void> = async () => {},
): Screen => ({
  name,
  async show(camera, stage) {
    await camera.go(`/p/${stage.project}${path(stage)}`);
    await ready(camera, stage);
  },
});

const press =
  (...keys: string[]) =>
  async ({ page }: Camera) => {
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForTimeout(200);
  };
/** The same, once there are items to go to. */
const pressOnItems =
  (...keys: string[]) =>
  async (camera: Camera) => {
    await seen(camera.page.locator('[data-item]').first());
    await press(...keys)(camera);
  };
const dialog = async ({ page }: Camera) => seen(page.locator('dialog[open]'));
const panel = async ({ page }: Camera) => {
  await seen(page.getByRole('complementary'));
  await seen(page.getByRole('heading', { name: 'Timeline' }));
};

export const screens: readonly Screen[] = [
  {
    name: 'home',
    async show(camera) {
      await camera.go('/');
      await seen(camera.page.getByRole('heading', { level: 1 }));
    },
  },
  {
    name: 'tokens',
    async show(camera) {
      await camera.go('/tokens');
      await seen(camera.page.getByRole('heading', { level: 1 }));
    },
  },
  screen('board', () => ''),
  screen('board-all', () => '?show=done,cancelled&blocked=show'),
  screen('board-focus', () => '', pressOnItems('j', 'j', 'x')),
  screen('list', () => '/list'),
  screen('list-selected', () => '/list', pressOnItems('j', 'j', 'Shift+j', 'Shift+j')),
  screen('graph-start', () => '/graph'),
  screen('graph', ({ linked }) => `/graph?centre=${linked}`),
  screen('agents', () => '/agents'),
  screen('conflicts', () => '/conflicts'),
  screen('activity', () => '/activity'),
  screen('panel', ({ shown }) => `?item=${shown}`, panel),
  screen('panel-failed', ({ failed }) => `?item=${failed}`, panel),
  screen('item', ({ shown }) => `/items/${shown}`),
  screen(
    'create',
    () => '',
    async (camera) => {
      await press('c')(camera);
      await dialog(camera);
    },
  ),
  screen(
    'create-many',
    () => '',
    async (camera) => {
      await press('c')(camera);
      await camera.page.getByRole('button', { name: 'Paste a checklist' }).last().click();
      await camera.page
        .getByRole('textbox')
        .last()
        .fill(
          '- [ ] Write the schema\n  - [ ] Tables\n  - [x] Names\n- [ ] Write the queries `src/db/*.ts`\n',
        );
    },
  ),
  screen(
    'edit',
    ({ shown }) => `?item=${shown}`,
    async (camera) => {
      await panel(camera);
      await camera.page.getByRole('button', { name: /^Edit #/ }).click();
      await dialog(camera);
    },
  ),
  screen(
    'cancel',
    ({ shown }) => `?item=${shown}`,
    async (camera) => {
      await panel(camera);
      await camera.page.getByRole('button', { name: 'Cancel…' }).click();
      await dialog(camera);
    },
  ),
  screen(
    'bulk',
    () => '/list?status=todo',
    async (camera) => {
      await press('a')(camera);
      await camera.page.getByRole('button', { name: 'Cancel…' }).click();
      await dialog(camera);
    },
  ),
  screen('palette', () => '', press('Control+k')),
  screen('help', () => '', press('?')),
  screen(
    'offline',
    () => '',
    async (camera) => {
      await camera.cut();
      await seen(camera.page.getByRole('alert'));
    },
  ),
  {
    name: 'sign-in',
    async show(camera) {
      await camera.go('/');
      await camera.page.getByRole('button', { name: 'Sign out' }).click();
      await seen(camera.page.getByLabel('Token'));
    },
  },
];
