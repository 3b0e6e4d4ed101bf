/**
 * Makes the pictures of docs/status-page.md, of federations in memory:
 *
 *   node e2e/ui/pictures.ts
 */
import { join } from 'node:path';
import { launchBrowser, visit } from './browser.ts';
import { makeScenes, openStage } from './scenes.ts';

const directory = join(import.meta.dirname, '../../docs/images');
const scenes = await makeScenes();
const { ready, changing, away, refused, twelve, forming } = scenes;
const pictures = [
  { name: 'status-page-light', shown: [ready], colorScheme: 'light' },
  { name: 'status-page-dark', shown: [changing], colorScheme: 'dark' },
  { name: 'status-page-list', shown: [ready, away, refused, twelve, forming], colorScheme: 'light' },
] as const;

const browser = await launchBrowser();
if (!browser) process.exit(1);
for (const { name, shown, colorScheme } of pictures) {
  await using stage = await openStage(shown);
  await using there = await visit(browser, stage.url, { colorScheme, viewport: { width: 1180, height: 960 } });
  await there.page.getByText('Live', { exact: true }).waitFor();
  await there.page.screenshot({ path: join(directory, `${name}.png`), animations: 'disabled' });
}
await browser.close();
