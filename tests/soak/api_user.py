"""Whoever tests with the server meanwhile: sends messages, waits for events by long polls, reads
them all as a stream, takes verdicts and reports, asks for proof, resets single devices, moves the
clock. Each way has its own connection, and what comes out of turn is trouble."""

import asyncio
import json
import random
import time

import server

EVENTS = "/api/v1/events"
READ_MAX = 1 << 22        # a line of the stream


class Reader:
    """All events, as they are streamed."""

    def __init__(self, port, book):
        self._port, self._ledger, self._task, self._writer = port, book, None, None
        self.worst_lag_s = 0

    async def open(self):
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port,
                                                             limit=READ_MAX)
        self._writer.write(f"GET {EVENTS}/stream?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                           .encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader):
        while line := await reader.readline():
            if line.startswith(b"data: "):
                self._ledger.event(json.loads(line[6:]))

    async def until(self, seq, patience_s=120):
        """Everything up to there has been read."""
        deadline = time.monotonic() + patience_s
        while self._ledger.last_seq < seq:
            assert not self._task.done(), f"the stream of events ended: {self._task}"
            assert time.monotonic() < deadline, f"at {self._ledger.last_seq} of {seq} events"
            await asyncio.sleep(0.05)

    def check(self):
        if self._task.done():
            self._task.result()
            raise AssertionError("the stream of events ended")

    def close(self):
        self._task.cancel()
        self._writer.close()


class User:
    """The ways in which it uses the API, side by side."""

    def __init__(self, world, port, devices, pace_s):
        self.world, self.pace_s = world, pace_s
        self.devices = devices
        # A few that are set back now and then, and what that does to them is known.
        self.reset_devices = [device for device in devices
                              if device.persistent][:max(1, len(devices) // 50)]
        self.apis, self.port = [], port
        self.counts = world.ledger.counts
        self.slowest_ms = {}

    def start(self):
        return [asyncio.create_task(self._again(way, every)) for way, every in (
            (self._send, self.pace_s / 40), (self._poll, 0), (self._ask_for_proof, self.pace_s / 2),
            (self._take_verdict, self.pace_s / 4), (self._move_clock, self.pace_s * 4),
            (self._take_report, self.pace_s * 20))]

    async def _again(self, way, every_s):
        api = server.Api(self.port)
        self.apis.append(api)
        state = {}
        while not self.world.over.is_set():
            begun = time.perf_counter()
            try:
                await way(api, state)
            except AssertionError as error:     # server.ApiError is one
                self.world.ledger.trouble("API:", way.__name__, str(error)[:300])
                await asyncio.sleep(1)
            name = way.__name__.strip("_").replace("_", " ")
            self.counts[f"API: {name}"] += 1
            took = (time.perf_counter() - begun) * 1000
            if way != self._poll:
                self.slowest_ms[name] = max(self.slowest_ms.get(name, 0), took)
            await asyncio.sleep(random.uniform(0.5, 1.5) * every_s)
        api.close()

    async def _send(self, api, state):
        """To a device that will get it, now or when it comes back."""
        if random.random() < 0.01:
            await self._reset(api)
            return
        device = random.choice(self.devices)
        if not (device.persistent and device.subscribed):
            return
        account = device.account
        number = account.promise()
        await asyncio.to_thread(api.post, f"/api/v1/devices/{account.name}/messages", {
            "topic": device.down_topic, "payload": json.dumps({"id": str(number)}), "qos": 1})

    async def _reset(self, api):
        device = random.choice(self.reset_devices)
        if not device.subscribed:
            return
        device.subscribed = False
        device.account.forget()
        self.counts["devices reset"] += 1
        await asyncio.to_thread(api.post, "/api/v1/reset", {"device": device.account.name})

    async def _poll(self, api, state):
        """What ended, by long polls; each leads on from the one before."""
        since = state.setdefault("since", 0)
        answer = await asyncio.to_thread(api.get, EVENTS, since=since, type="close", limit=500,
                                         wait_ms=2000)
        seqs = [event["seq"] for event in answer["events"]]
        if seqs != sorted(set(seqs)) or seqs and seqs[0] <= since:
            self.world.ledger.trouble("events polled are out of order:", seqs[:10], since)
        state["since"] = max(answer["next"], since)
        self.counts["events polled"] += len(seqs)

    async def _ask_for_proof(self, api, state):
        """A message of a device that is there will come within the time that it takes."""
        device = random.choice(list(self.world.online) or self.devices)
        claim = {"event": {"device": device.account.name, "type": "publish", "direction": "up"},
                 "since": max(0, self.world.ledger.last_seq - 2000),
                 "waitMs": int(self.pace_s * 500)}
        status, answer = await asyncio.to_thread(api.request, "POST", "/api/v1/verify", claim)
        if status not in (200, 406) or answer["holds"] != (status == 200):
            self.world.ledger.trouble("verify:", status, answer)
        self.counts[f"proofs, {'given' if status == 200 else 'not given'}"] += 1

    async def _take_verdict(self, api, state):
        device = random.choice(self.devices)
        answer = await asyncio.to_thread(
            api.request, "GET", "/api/v1/verdicts", None, device=device.account.name)
        if answer[0] not in (200, 404):
            self.world.ledger.trouble("verdicts:", answer)

    async def _move_clock(self, api, state):
        await asyncio.to_thread(api.advance, 1000)

    async def _take_report(self, api, state):
        await asyncio.to_thread(api.get, random.choice(["/api/v1/report.json",
                                                        "/api/v1/report.xml"]))
