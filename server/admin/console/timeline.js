import { Page } from './page.js';

export class Timeline extends Page {}
