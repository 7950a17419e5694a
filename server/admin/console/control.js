import { Page } from './page.js';

export class Control extends Page {}
