"""A device that speaks MQTT 3.1.1 by the Paho client (Debian's python3-paho-mqtt, 1.6.1).

Paho packs and unpacks; when to connect, to wait, to ping and to give up is decided here, so that
each of it is a habit that can be broken. A cloud's device is a subclass (aliyun.py, tencent.py,
enos.py): it signs the login, names its topics and answers commands."""

import contextlib
import errno
import os
import random
import select
import socket
import ssl
import struct
import sys
import time

import paho.mqtt.client as paho


class Lost(Exception):
    """This connection is over, and why."""


class Client(paho.Client):
    """Paho's client on a socket of the device's own."""

    def __init__(self, device):
        super().__init__(client_id="-", clean_session=device.clean_session,
                         reconnect_on_failure=False)
        self.device = device
        self.connect_async("device", 1)  # never resolved: the socket comes from the device

    def _create_socket_connection(self):
        return Wire(self.device, self.device.open_socket())

    def _handle_connack(self):
        """Paho does not tell of a 1 when it may not try MQTT 3.1 then."""
        if len(self._in_packet["packet"]) == 2:
            self.device.code = self._in_packet["packet"][1]
        return super()._handle_connack()

    def acknowledge(self, packet_id):
        return super()._send_puback(packet_id)

    def _send_puback(self, mid):
        return self.device.on_received(mid)


class Wire:
    """A socket as Paho wants it: what TLS has to wait for is an EAGAIN too. Whatever leaves the
    device passes its `sent` and whatever reaches it `heard`."""

    def __init__(self, device, sock):
        self.device, self.socket = device, sock

    def recv(self, size):
        try:
            data = self.socket.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError) as error:
            self.device.heard_nothing()
            raise BlockingIOError(errno.EAGAIN, "later") from error
        except OSError:
            self.device.ended_by = "RST"
            raise
        if not data:
            self.device.ended_by = "FIN"
        return self.device.heard(data)

    def send(self, data):
        try:
            return self.socket.send(self.device.sent(data))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError(errno.EAGAIN, "later") from error

    def setblocking(self, flag):
        self.socket.setblocking(flag)

    def fileno(self):
        return self.socket.fileno()

    def close(self):
        self.socket.close()

    def pending(self):
        return self.socket.pending() if hasattr(self.socket, "pending") else 0


class Device:
    """The habits of a good device, and its life."""

    # ---- habits: figures (seconds, where nothing else is said) ----
    keepalive = 60
    clean_session = False
    ping_every = 0.7
    ping_patience = 1.0       # without an answer to a ping
    connect_patience = 3.0    # for TCP and TLS
    connack_patience = 0.45
    suback_patience = 0.5     # then the SUBSCRIBE is sent again
    suback_tries = 3          # then it connects anew
    puback_patience = 4.0     # then it connects anew, and sends what was not acknowledged again
    say_every = 0.3
    say_qos = 1
    unacknowledged_max = 5    # then it says nothing new
    backoff_first = 0.1
    backoff_factor = 2.0
    backoff_max = 0.6
    backoff_jitter = True
    stable_after = 0.15       # a connection that lasted so long ends the backing off
    subscribe_qos = 1
    protocol_level = 4
    sni = True
    verify = True             # the server's certificate and its name
    resumes = True            # TLS sessions

    PORTS = {"tcp": "MQTT", "tls": "MQTTS", "ws": "HTTPS"}

    def __init__(self, product, device, secret, product_secret="", transport="tcp"):
        self.product, self.device, self.secret = product, device, secret
        self.product_secret, self.transport = product_secret, transport
        self.verbose = False
        self.client = None
        self.attempts = 0             # since the last stable connection
        self.count = 0                # of things said
        self.connections = 0
        self.session_present = False
        self.code = None              # of this connection's CONNACK
        self.ended_by = ""
        self.began = 0                # this connection's CONNACK
        self.context = self.tls_session = None
        self.done_so_far = {}         # for habits that count
        self.waiting = {}             # SUBSCRIBEs by packet id: (filter, qos, since, tries)
        self.unacknowledged = {}      # publishes by packet id: since when

    # ---- habits: what a cloud's device says for itself ----

    def login(self):
        """(client id, user name, password); a new one for each connection."""
        raise NotImplementedError

    def filters(self):
        """The topics it subscribes."""
        raise NotImplementedError

    def telemetry(self):
        """(topic, payload) of what it says every second."""
        raise NotImplementedError

    def on_message(self, topic, payload):
        """A command, an answer, anything that the cloud sent."""

    # ---- habits: what every device does ----

    def open_socket(self):
        """A connected socket, after TLS if there is any."""
        sock = socket.create_connection((os.environ.get("SKYMOCK_HOST", "127.0.0.1"), self.port()),
                                        timeout=self.connect_patience)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.transport == "ws":
            return paho.WebsocketWrapper(sock, "localhost", self.port(), False, "/mqtt", None)
        return self.secured(sock) if self.transport == "tls" else sock

    def port(self):
        return int(os.environ["SKYMOCK_PORT_" + self.PORTS[self.transport]])

    def secured(self, sock):
        """TLS on it, by the session of the last time if the server has it still."""
        tls = self.wrapped(sock)
        try:
            tls.do_handshake()
        except ssl.SSLError:
            self.say_goodbye(tls)
            raise
        self.tls_session = tls.session if self.resumes else None
        return tls

    def wrapped(self, sock):
        """Before its handshake. A session is of its context, which is why there is one only."""
        self.context = self.context or self.tls_context()
        name = self.server_name() if self.sni else None
        return self.context.wrap_socket(sock, server_hostname=name, session=self.tls_session,
                                        do_handshake_on_connect=False)

    @staticmethod
    def say_goodbye(tls):
        """A socket that is closed with something unread resets TCP, and takes the alert with it."""
        with contextlib.suppress(OSError), socket.socket(fileno=tls.detach()) as sock:
            sock.settimeout(0.2)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass

    def tls_context(self):
        context = ssl.create_default_context(cafile=os.environ.get("SKYMOCK_CA"))
        context.check_hostname = self.verify and self.sni
        context.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_NONE
        return context

    def server_name(self):
        return os.environ.get("SKYMOCK_SERVER_NAME", "localhost")

    def sent(self, data):
        """Bytes on their way out: what is returned goes out in their place, as long as they."""
        return data

    def heard(self, data):
        """Bytes that came in."""
        return data

    def heard_nothing(self):
        """There was nothing to read, or only a part of a packet."""

    def on_lost(self, ended_by):
        """A connection is over: by "FIN", by "RST", or by this device itself ("")."""

    def let_go(self):
        """The socket is closed before there is another."""
        self.client._sock_close()

    def on_received(self, packet_id):
        """A QoS 1 message was taken: it is acknowledged."""
        return self.client.acknowledge(packet_id)

    def on_granted(self, topic, granted):
        """A SUBACK: 0x80 is a refusal, which is not asked for again on this connection."""

    def on_refused(self, code):
        """A CONNACK that refuses: it tries again, later and later."""

    def backoff(self):
        """How long to wait before the attempt: exponential with jitter. The chance takes turns, to
        be below the curve and above it, so that few attempts are enough to see that there is
        chance."""
        wait = min(self.backoff_first * self.backoff_factor ** self.attempts, self.backoff_max)
        if not self.backoff_jitter:
            return wait
        return wait * (random.uniform(1.1, 1.25) if self.attempts % 2 else random.uniform(0.65, 0.75))

    def on_connecting(self):
        """CONNECT is out: it waits for the CONNACK and says nothing."""

    def on_connected(self):
        """The CONNACK has come: subscribe, whatever session is present (MQTT 3.1.1 §3.1.2.4 lets a
        server lose it)."""
        for topic in self.filters():
            self.subscribe(topic)

    def say(self):
        """Telemetry, as long as the cloud takes it."""
        if len(self.unacknowledged) < self.unacknowledged_max:
            self.publish(*self.telemetry(), qos=self.say_qos)

    def ping(self):
        self.client._send_pingreq()

    def leave(self):
        """This side ends the connection: DISCONNECT, then TCP."""
        if self.client.is_connected():
            self.client.disconnect()
        else:
            self.client._sock_close()

    # ---- what habits are made of ----

    def tell(self, *words):
        if self.verbose:
            print(f"{time.time():.3f}", *words, file=sys.stderr, flush=True)

    def publish(self, topic, payload, qos=0, retain=False):
        """Paho keeps what has QoS 1, and sends it with DUP on the next connection."""
        info = self.client.publish(topic, payload, qos=qos, retain=retain)
        if qos:
            self.unacknowledged[info.mid] = time.monotonic()
        return info.mid

    def subscribe(self, topic, tries=1):
        _, packet_id = self.client.subscribe(topic, self.subscribe_qos)
        self.waiting[packet_id] = (topic, time.monotonic(), tries)

    def send_raw(self, data):
        """Bytes that Paho would not send."""
        self.client.socket().send(data)

    def send_packet(self, first, body):
        """A packet that Paho would not send: its first byte, and what follows the length."""
        length, left = b"", len(body)
        while True:
            left, digit = divmod(left, 128)
            length += struct.pack("B", digit | (0x80 if left else 0))
            if not left:
                break
        self.send_raw(bytes([first]) + length + body)

    # ---- its life ----

    def live(self):
        while True:
            self.wait_before_connecting()
            try:
                self.connect()
                self.converse()
            except Lost as why:
                self.tell("lost:", why)
                if self.code:
                    self.on_refused(self.code)
            except (OSError, ValueError, IndexError, struct.error) as error:
                self.tell("broken:", repr(error))
            self.on_lost(self.ended_by)
            if self.client is not None:
                self.let_go()

    def wait_before_connecting(self):
        if self.connections:
            wait = self.backoff()
            self.tell(f"waits {wait:.3f} s")
            time.sleep(wait)
            self.attempts += 1
        self.connections += 1

    def new_client(self):
        client = Client(self)
        client.on_connect = lambda _c, _u, flags, code: self._connack(flags, code)
        client.on_subscribe = lambda _c, _u, mid, granted: self._suback(mid, granted)
        client.on_publish = lambda _c, _u, mid: self.unacknowledged.pop(mid, None)
        client.on_message = lambda _c, _u, message: self._message(message)
        client.suppress_exceptions = False
        client.max_inflight_messages_set(20)
        return client

    def connect(self):
        """Up to the CONNACK."""
        if self.client is None:
            self.client = self.new_client()
        client_id, user, password = self.login()
        self.client._client_id = client_id.encode()
        self.client.username_pw_set(user, password)
        self.client._keepalive = self.keepalive
        self.began, self.waiting, self.code, self.ended_by = 0, {}, None, ""
        self.tell("connects")
        self.client.reconnect()
        deadline = time.monotonic() + self.connack_patience
        self.on_connecting()
        while self.code is None:
            self.turn(deadline - time.monotonic())
            if self.code is None and time.monotonic() >= deadline:
                raise Lost("no CONNACK")

    def _connack(self, flags, code):
        if code == 0:
            self.session_present = bool(flags["session present"])
            self.began = time.monotonic()

    def _suback(self, packet_id, granted):
        topic = self.waiting.pop(packet_id, (None,))[0]
        if topic is not None:
            self.on_granted(topic, granted[0])

    def _message(self, message):
        self.tell("hears", message.topic, message.payload[:100])
        try:
            self.on_message(message.topic, message.payload)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            self.tell("leaves alone what it cannot read:", repr(error))

    def turn(self, wait):
        """Reads and writes what there is, waiting so long for it."""
        sock = self.client.socket()
        if sock is None:
            raise Lost("closed")
        wait = 0 if sock.pending() else max(0.0, min(wait, 0.1))
        writing = [sock] if self.client.want_write() else []
        readable, writable, _ = select.select([sock], writing, [], wait)
        if writable:
            self.done(self.client.loop_write())
        if readable or sock.pending():
            self.done(self.client.loop_read())

    def done(self, result):
        if result != paho.MQTT_ERR_SUCCESS:
            raise Lost(paho.error_string(result))

    def converse(self):
        """From the CONNACK to the end of the connection."""
        self.on_connected()
        now = time.monotonic()
        for packet_id in self.unacknowledged:
            self.unacknowledged[packet_id] = now  # Paho has just sent them again
        next_ping, next_word = now + self.ping_every, now + 0.05
        while True:
            self.turn(min(next_ping, next_word) - time.monotonic())
            now = time.monotonic()
            if now - self.began >= self.stable_after:
                self.attempts = 0
            if now >= next_word:
                self.say()
                next_word = now + self.say_every
            if now >= next_ping:
                if not self.client._ping_t:  # one at a time
                    self.ping()
                next_ping = now + self.ping_every
            self.look_after(now)

    def look_after(self, now):
        """What was waited for too long."""
        pinged = self.client._ping_t
        if pinged and now - pinged >= self.ping_patience:
            raise Lost("no PINGRESP")
        if any(now - since >= self.puback_patience for since in self.unacknowledged.values()):
            raise Lost("no PUBACK")
        for packet_id, (topic, since, tries) in list(self.waiting.items()):
            if now - since < self.suback_patience:
                continue
            if tries >= self.suback_tries:
                raise Lost("no SUBACK")
            del self.waiting[packet_id]
            self.subscribe(topic, tries + 1)
