import { Page } from './page.js';

export class Suites extends Page {}
