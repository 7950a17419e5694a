import { Page } from './page.js';

export class Refusals extends Page {}
