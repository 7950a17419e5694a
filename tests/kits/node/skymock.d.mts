// Types of skymock.mjs, which says what each does. Patterns, claims and events are the API's
// (`GET /openapi.json`).

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Pattern = { [member: string]: unknown };
export type Count = { min?: number; max?: number };
export type Fixture = { products: object[] };
export type Event = { seq: number; time: string; type: string; direction?: 'up' | 'down' | 'inside';
  device?: string | null; topic?: string; payload?: string; json?: any; code?: number;
  findings?: { rule: string; detail: string }[]; refused?: string; [member: string]: any };
export type Verdict = { verdict: 'not exercised' | 'passed' | 'warned' | 'failed';
  [member: string]: any };
export type Login = { protocol: 'mqtt' | 'mqtts'; host: string; port: number; clientId: string;
  username: string; password: string; keepalive: number };
export type Claim = ({ event: Pattern; count?: number | Count } | { sequence: Pattern[] } |
  { absent: Pattern }) & { since?: Since; waitMs?: number; withinMs?: number };
export type Made = { id: number; remove(): Promise<void> };
export type Since = number | Event;
export type DeviceFields = { product?: string; device?: string; secret?: string; enabled?: boolean;
  temporary?: boolean; assetId?: string; fingerprint?: string };
// Of the test: node:test has after(), Vitest onTestFinished().
export type Context = { after?(run: () => Promise<void>): void;
  onTestFinished?(run: () => Promise<void>): void };

export interface Scope {
  readonly server: Server;
  readonly limit: { device?: string; product?: string };
  events(event?: Pattern, options?: { since?: Since; before?: number; limit?: number;
    order?: 'asc' | 'desc'; run?: boolean }): Promise<Event[]>;
  follow(event?: Pattern, options?: { since?: Since; waitMs?: number }): AsyncGenerator<Event>;
  verify(claim: Claim): Promise<Event[]>;
  wait(event: Pattern, options?: { count?: number; waitMs?: number; since?: Since }):
    Promise<Event[]>;
  absent(event: Pattern, options?: { waitMs?: number; since?: Since }): Promise<void>;
  verdict(): Promise<Verdict>;
  assertPassed(options?: { strict?: boolean }): Promise<void>;
  fault(what: { point: string; action: string; [argument: string]: unknown }):
    Promise<Made & { fired(): Promise<number | undefined> }>;
  faults(): Promise<object[]>;
  expect(what: ({ rule: string } | { event: Pattern }) & { count?: number | Count }): Promise<Made>;
  clear(): Promise<void>;
  reset(more?: { forget?: boolean }): Promise<void>;
  report(): Promise<string>;
  tell(options?: { error?: unknown; folder?: string }): Promise<void>;
}

export interface Device extends Scope {
  readonly id: string;
  readonly cloud: string;
  readonly product: string;
  readonly key: string;
  readonly credentials: { [field: string]: any };
  readonly mqtt: Login;
  readonly mqtts: Login & { ca: string };
  sign(): Promise<void>;
  api(method: string, target?: string, body?: unknown): Promise<any>;
  message(topic: string, payload?: string | Uint8Array | object, options?: { qos?: 0 | 1 }):
    Promise<any>;
  command(kind: string, more?: { name?: string; params?: object; payload?: string; waitMs?: number;
    ttlS?: number }): Promise<any>;
  shadow(change?: { [member: string]: Json }): Promise<any>;
  disconnect(): Promise<void>;
  remove(): Promise<void>;
}

export type Body = (device: Device, ...given: any[]) => unknown;

export interface Product extends Scope {
  device(what?: string | DeviceFields, context?: Context): Promise<Device>;
  withDevice(body: Body): (...given: any[]) => Promise<void>;
  withDevice(what: string | DeviceFields, body: Body): (...given: any[]) => Promise<void>;
  snapshot(name: string): Promise<void>;
  restore(name: string): Promise<void>;
}

export interface Clock {
  now(): Promise<Date>;
  freeze(): Promise<Date>;
  advance(ms: number): Promise<Date>;
  set(time: Date | number): Promise<Date>;
  resume(): Promise<Date>;
}

export interface Server extends Product {
  readonly url: string;
  readonly host: string;
  readonly ports: { [listener: string]: number };
  readonly ca: string;
  readonly caFile: string;
  readonly environment: { [name: string]: string };
  readonly clock: Clock;
  readonly reportFolder?: string;
  port(listener: string): number;
  add(fixture: string | Fixture): Promise<void>;
  product(name: string): Product;
  ask(method: string, target: string, body?: unknown):
    Promise<{ asked: string; status: number; body: any }>;
  checked(answer: { asked: string; status: number; body: any }): any;
  api(method: string, target: string, body?: unknown): Promise<any>;
  stop(): Promise<void>;
}

export class ApiError extends Error {
  status: number;
  code?: string;
  pointer?: string;
}

export function line(event: Event): string;

export function start(options?: { url?: string; program?: string; token?: string; product?: string;
  fixtures?: string | Fixture | (string | Fixture)[]; report?: string; patienceMs?: number;
  options?: string[] }):
  Promise<Server>;
