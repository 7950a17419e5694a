import { Page } from './page.js';

export class Verdicts extends Page {}
