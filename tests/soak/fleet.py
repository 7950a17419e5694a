"""The devices that speak MQTT: how each cloud's say things, by which transports they come, and how
they live: they come, talk, leave in four ways, and come back."""

import asyncio
import base64
import hmac
import json
import random
import string
import time
from urllib.parse import urlencode

import credentials
import ledger
import links

KEEPALIVE_S = 60
PING_EVERY_S = 25
ANSWER_S = 20             # a CONNACK, a SUBACK, a PUBACK, a PINGRESP: then it connects anew
AWAY_S = (2.0, 30.0)      # at a pace of 4 s, and as much shorter as the pace
SETTLE_TRIES = 8
LATE_S = 8                # the server waits 10 s for a login: on a machine this busy some are late
CONNECTING_AT_ONCE = 40   # that many machines do not switch on in one moment
# How a device leaves, and how often.
WAYS = {"disconnect": 45, "fin": 15, "rst": 25, "silent": 15}


class Cloud:
    """A cloud's topics, and the words that its devices use."""

    rest_s = 0.5              # at least, between two connections

    def __init__(self, product, device):
        self.product, self.device = product, device
        self.name = f"{self.key}/{product}/{device}"


class Aliyun(Cloud):
    key, product_name, words = "aliyun", "soakAli", ("productKey", "deviceName", "deviceSecret")
    ports = {"tcp": "mqtt", "tls": "mqtt", "ws": "https", "wss": "https", "https": "mqtt"}

    def login(self, transport):
        return credentials.login(self.name, securemode="2" if transport in ("tls", "wss") else "3")

    def topics(self):
        """Of its own, its posts' replies, and of what the cloud says to it."""
        return (f"/{self.product}/{self.device}/up",
                f"/sys/{self.product}/{self.device}/thing/event/property/post_reply",
                f"/{self.product}/{self.device}/down")

    def post(self, number):
        return (f"/sys/{self.product}/{self.device}/thing/event/property/post",
                {"id": str(number), "version": "1.0", "params": {"n": number},
                 "method": "thing.event.property.post"})


class Tencent(Cloud):
    key, product_name, words = "tencent", "SOAK000001", ("productId", "deviceName", "psk")
    rest_s = 6.0              # once in 5 s, its manual says
    ports = {"tcp": "mqtt", "tls": "mqtts", "psk": "mqtts", "ws": "https", "wss": "https"}

    def login(self, transport):
        fields = credentials.login(self.name, connid="".join(
            random.choices(string.ascii_letters + string.digits, k=5)))
        return fields if transport != "psk" else {**fields, "password": None}

    def topics(self):
        return (f"{self.product}/{self.device}/event",
                f"$thing/down/property/{self.product}/{self.device}",
                f"{self.product}/{self.device}/control")

    def post(self, number):
        return (f"$thing/up/property/{self.product}/{self.device}",
                {"method": "report", "clientToken": str(number), "params": {"n": number}})


class Enos(Cloud):
    key, product_name, words = "enos", "soakEnos", ("productKey", "deviceKey", "deviceSecret")
    ports = {"tcp": "enos-mqtt", "cert": "enos-mqtts"}

    def login(self, _transport):
        return credentials.login(self.name)

    def topics(self):
        return (f"/{self.product}/{self.device}/up",
                f"/sys/{self.product}/{self.device}/thing/measurepoint/post_reply",
                f"/{self.product}/{self.device}/down")

    def post(self, number):
        return (f"/sys/{self.product}/{self.device}/thing/measurepoint/post",
                {"id": str(number), "version": "1.0", "method": "thing.measurepoint.post",
                 "params": {"measurepoints": {"n": number}}})


# Out of a hundred devices; what is left comes by CoAP (coap_fleet.py).
MIX = [(Aliyun, "tcp", 22), (Aliyun, "tls", 6), (Aliyun, "ws", 5), (Aliyun, "wss", 3),
       (Aliyun, "https", 4), (Tencent, "tcp", 20), (Tencent, "tls", 5), (Tencent, "psk", 5),
       (Tencent, "ws", 3), (Tencent, "wss", 2), (Enos, "tcp", 16), (Enos, "cert", 4)]


class Refused(Exception):
    """The cloud does not want it now."""


class World:
    """What all devices share."""

    def __init__(self, book, pace_s):
        self.ledger, self.pace_s = book, pace_s
        self.ports = self.context = None   # of the server, and of TLS to it
        self.over = asyncio.Event()
        self.connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self.online = set()
        self.counts = book.counts


class Device:
    """One of them."""

    def __init__(self, world, cloud, transport, persistent):
        self.world, self.cloud = world, cloud
        self.transport, self.persistent = transport, persistent
        self.account = world.ledger.account(cloud.name)
        self.topic, self.reply_topic, self.down_topic = cloud.topics()
        self.link = None
        self.dead = []                 # connections that it fell silent on
        self.waiting = {}              # futures by ("puback", id), ..
        self.unacknowledged = {}       # by packet id: (number, topic, payload), as they were said
        self.unanswered = {}           # posts on this connection: their replies are due
        self.said_here = []            # on this connection, and not certain
        self.packet_id = 0
        self.session = self.token = None
        self.has_session = self.subscribed = False
        self.context = None

    # ---- what comes ----

    def _heard(self, packet):
        kind = packet["type"]
        if kind == "publish":
            self._message(packet)
        elif kind == "puback":
            self._acknowledged(packet["id"])
        elif kind == "pingresp":
            self._tell(kind, None)
        else:
            self._tell((kind, packet.get("id")), packet)

    def _tell(self, what, packet):
        future = self.waiting.pop(what, None)
        if future and not future.done():
            future.set_result(packet)

    def _acknowledged(self, packet_id):
        said = self.unacknowledged.pop(packet_id, None)
        if said is None:
            self.account.trouble(f"PUBACK {packet_id} acknowledges nothing")
            return
        self.account.certain(said[0])
        self._tell(("puback", packet_id), True)

    def _message(self, packet):
        number = ledger.number_of(json.loads(packet["payload"]))
        if packet["topic"] == self.down_topic:
            self.account.got(number, packet["dup"])
        else:
            self.unanswered.pop(number, None)
            self.account.reply(number, packet["dup"])
        if packet["qos"]:
            self.link.send(type="puback", id=packet["id"])

    def _lost(self, link):
        if link is not self.link:
            return
        if self in self.world.online and not link.deaf and not link.left:
            self.account.cut_off += 1
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(link.why))
                future.exception()
        self.waiting = {}

    async def _answer(self, what, patience=ANSWER_S):
        future = self.waiting[what] = asyncio.get_running_loop().create_future()
        if self.link.over:
            raise ConnectionError(self.link.why)
        return await asyncio.wait_for(future, patience)

    def _next_id(self):
        self.packet_id = self.packet_id % 65535 + 1
        while self.packet_id in self.unacknowledged:
            self.packet_id = self.packet_id % 65535 + 1
        return self.packet_id

    # ---- what it does ----

    async def connect(self):
        async with self.world.connecting:
            begun = time.monotonic()
            try:
                answer = await self._log_in(await self._login())
            finally:
                self.world.counts["late to log in"] += time.monotonic() - begun > LATE_S
        if answer["code"]:
            self.token = None
            self.link.left = True      # the cloud closes
            raise Refused(f"CONNACK {answer['code']}")
        self._welcome(answer["sessionPresent"])

    async def _log_in(self, login):
        self.link = await links.open_link(self.world.ports[self.cloud.ports[self.transport]],
                                          self._layers(), self._heard, self._lost)
        if self.transport in ("tls", "wss", "https", "cert") and not self.link.over:
            self.session = self.link.layers[0].session()
        self.link.send(type="connect", keepalive=KEEPALIVE_S, clean=not self.persistent, **login)
        return await self._answer(("connack", None))

    def _layers(self):
        layers = []
        if self.transport in ("tls", "wss", "https", "cert"):
            layers.append(links.Tls(self.context, self.session))
        elif self.transport == "psk":
            layers.append(links.Psk(self.cloud.product + self.cloud.device, base64.b64decode(
                credentials.SECRETS[self.cloud.name][0])))
        if self.transport in ("ws", "wss"):
            layers.append(links.WebSocket())
        return layers

    async def _login(self):
        """The fields of a CONNECT; over HTTPS first, where it has no token."""
        if self.transport != "https":
            return self.cloud.login(self.transport)
        if self.token is None or random.random() < 0.3:
            self.token = await self._fetch_token()
        client_id = f"{self.cloud.product}.{self.cloud.device}"
        return {"clientId": client_id, "username": self.token[0], "password": self.token[1]}

    async def _fetch_token(self):
        fields = {"productKey": self.cloud.product, "deviceName": self.cloud.device,
                  "clientId": f"{self.cloud.product}.{self.cloud.device}",
                  "timestamp": str(int(time.time() * 1000))}
        text = "".join(key + fields[key] for key in sorted(fields))
        fields["sign"] = hmac.new(credentials.SECRETS[self.cloud.name][0].encode(), text.encode(),
                                  "sha1").hexdigest()
        form = urlencode({**fields, "version": "default", "resources": "mqtt",
                          "signmethod": "hmacsha1"})
        reader, writer = await asyncio.wait_for(asyncio.open_connection(
            "127.0.0.1", self.world.ports["https"], ssl=self.context, server_hostname="localhost"),
            links.PATIENCE_S)
        try:
            writer.write(f"POST /auth/devicename HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         f"application/x-www-form-urlencoded\r\nConnection: close\r\n"
                         f"Content-Length: {len(form)}\r\n\r\n{form}".encode())
            answer = await asyncio.wait_for(reader.read(), links.PATIENCE_S)
        finally:
            writer.transport.abort()
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
        self.world.counts["logins over HTTPS"] += 1
        if said["code"] != 200:
            raise Refused(f"HTTPS {said['code']}")
        return said["data"]["iotId"], said["data"]["iotToken"]

    def _welcome(self, present):
        self.world.counts[f"connects by {self.transport}"] += 1
        self.world.online.add(self)
        while self.dead:               # the server has closed them: this device came back
            self.dead.pop().reset()
        if present:
            self.world.counts["sessions present"] += 1
            if not self.persistent:
                self.account.trouble("a clean session is present")
        elif self.has_session and not self.account.is_void:
            self.account.trouble("its session is gone")
        if not present:
            self.subscribed = self.account.is_void = False
        self.has_session = self.persistent
        self.unanswered, self.said_here = {}, []
        if not self.persistent:
            self.unacknowledged = {}   # they go with the session
        for packet_id, (number, topic, payload) in self.unacknowledged.items():
            self.account.again(number)
            self.link.send(type="publish", topic=topic, payload=payload, qos=1, id=packet_id,
                           dup=True)

    async def subscribe(self):
        for topic in (self.reply_topic, self.down_topic):
            packet_id = self._next_id()
            self.link.send(type="subscribe", id=packet_id, filters=[[topic, 1]])
            answer = await self._answer(("suback", packet_id))
            if answer["codes"] != [1]:
                self.account.trouble(f"SUBACK {answer['codes']} for {topic}")
        self.subscribed = True

    async def unsubscribe(self):
        """And back again: its commands would wait for nobody."""
        packet_id = self._next_id()
        self.link.send(type="unsubscribe", id=packet_id, filters=[self.reply_topic])
        await self._answer(("unsuback", packet_id))
        self.unanswered = {}
        packet_id = self._next_id()
        self.link.send(type="subscribe", id=packet_id, filters=[[self.reply_topic, 1]])
        await self._answer(("suback", packet_id))

    async def say(self, is_post, qos):
        number = self.account.say()
        topic, words = self.cloud.post(number) if is_post else (self.topic, {"n": number})
        payload = json.dumps(words)
        if is_post:
            self.unanswered[number] = True
        if not qos:
            self.said_here.append(number)
            self.link.send(type="publish", topic=topic, payload=payload, qos=0)
            return
        packet_id = self._next_id()
        self.unacknowledged[packet_id] = (number, topic, payload)
        self.link.send(type="publish", topic=topic, payload=payload, qos=1, id=packet_id)
        before, self.said_here = self.said_here, []
        await self._answer(("puback", packet_id))
        self._are_certain(before)

    async def ping(self):
        """What was said before is through when the answer is there, and replies have come."""
        before, self.said_here = self.said_here, []
        due = list(self.unanswered)
        self.link.send(type="pingreq")
        await self._answer("pingresp")
        self._are_certain(before)
        self.account.unanswered.update(set(due) & set(self.unanswered))

    def _are_certain(self, numbers):
        for number in numbers:
            self.account.certain(number)

    # ---- its life ----

    async def talk(self):
        """Some acts, one after the other, as an ordinary device."""
        quiet_since = time.monotonic()
        for _ in range(random.randint(3, 20)):
            if await self._over(random.expovariate(1 / self.world.pace_s)):
                return
            act = random.random()
            if act < 0.85:
                await self.say(is_post=act < 0.45, qos=random.random() < 0.5)
                quiet_since = time.monotonic()
            elif act < 0.95 or time.monotonic() - quiet_since > PING_EVERY_S:
                await self.ping()
            else:
                await self.unsubscribe()

    async def _over(self, seconds):
        """Waits, in parts that keep the connection alive; is the soak over?"""
        while seconds > 0 and not self.world.over.is_set():
            part = min(seconds, PING_EVERY_S)
            try:
                await asyncio.wait_for(self.world.over.wait(), part)
            except asyncio.TimeoutError:
                pass
            seconds -= part
            if seconds > 0:
                await self.ping()
            if self.link is not None and self.link.over:
                raise ConnectionError(self.link.why)
        return self.world.over.is_set()

    def leave(self, way):
        self.world.counts[f"left by {way}"] += 1
        self.link.left = True
        if way == "silent":
            self.account.vanished += 1
            self.link.fall_silent()
            self.dead.append(self.link)
        elif way == "rst":
            self.link.reset()
        else:
            if way == "disconnect":
                self.link.send(type="disconnect")
            self.link.close()

    async def once(self):
        """One connection, from its beginning to its end."""
        self.link = None
        try:
            await self.connect()
            if not self.subscribed:
                await self.subscribe()
            await self.talk()
            if self.world.over.is_set():
                await self.settle()
            self.leave(random.choices(*zip(*WAYS.items()))[0] if not self.world.over.is_set()
                       else "disconnect")
            return True
        except Refused as why:
            self.world.ledger.failures[str(why)] += 1
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError) as why:
            where = "" if self in self.world.online else "connecting: "
            self.world.ledger.failures[f"{where}{type(why).__name__} {why}".strip()[:70]] += 1
        finally:
            self.world.online.discard(self)
            if self.link is not None and not self.link.deaf and not self.link.over \
                    and not self.link.left:
                self.link.left = True
                self.link.reset()
        return False

    async def settle(self):
        """All that was said is acknowledged, all that was promised is here."""
        deadline = time.monotonic() + ANSWER_S
        while self.unacknowledged or self.account.owed and self.persistent:
            if time.monotonic() > deadline:
                raise asyncio.TimeoutError("it does not settle")
            await self.ping()
            await asyncio.sleep(0.05)
        await self.ping()

    async def live(self):
        away = [seconds * self.world.pace_s / 4 for seconds in AWAY_S]
        await self._pause(random.uniform(0, away[1]))
        failed = 0
        while not self.world.over.is_set():
            failed = 0 if await self.once() else failed + 1
            await self._pause(self.cloud.rest_s + random.uniform(*away) * min(4, 1 + failed))
        for _ in range(SETTLE_TRIES):
            await asyncio.sleep(self.cloud.rest_s * random.uniform(1, 1.5))  # it has just left
            if await self.once():
                break
        else:
            self.account.trouble("could not settle")
        while self.dead:
            self.dead.pop().reset()

    async def _pause(self, seconds):
        try:
            await asyncio.wait_for(self.world.over.wait(), seconds)
        except asyncio.TimeoutError:
            pass
