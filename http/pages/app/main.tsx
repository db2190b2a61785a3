import { render } from 'preact';
import { App } from './app.tsx';
import { account, learnAccount } from './data/own-account.ts';
import { moveLinks } from './data/under-base.ts';
import { followLinks } from './shell/address.ts';
import { applyTheme } from './shell/theme.ts';

applyTheme();
moveLinks();
followLinks();
if (!account.value) void learnAccount();
const root = document.querySelector('#app');
if (root) render(<App />, root);
