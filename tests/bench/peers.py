"""The servers that are measured, what they are started from, and how they are started."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import credentials  # noqa: E402
import packets  # noqa: E402

SKYMOCK = Path(os.environ.get("SKYMOCK_BUILD", ROOT / "build/release")) / "skymock"
PRODUCT, COAP_PRODUCT = "benchProduct", "benchPoints"
DEVICES_MAX = 10000
PSK = b"0123456789abcdef"
PATIENCE_S = 60
TRIES = 3  # a free port may be somebody else's a moment later
BOTH_CPUS = os.cpu_count() > 1
LISTENERS = ("mqtt", "mqtts", "https", "coaps", "admin")


def names(count):
    return [f"device{number:05}" for number in range(count)]


def login(name, securemode="3"):
    """What it signs; 3: over TCP, 2: over TLS."""
    return credentials.aliyun(f"aliyun/{PRODUCT}/{name}", secret=f"secret of {name}", cid=name,
                              securemode=securemode)


class Files:
    """What servers and loads read, in one folder; each is written when it is first asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def _once(self, name, make):
        path = self.folder / name
        if not path.exists():
            path.write_text(make())
        return path

    def fixtures(self, count):
        """Of so many devices of either kind."""
        def make():
            topics = ["/{product}/{device}/bench", "/{product}/everybody", "/{product}/+/pair"]
            return json.dumps({"products": [
                {"cloud": "aliyun", "productKey": PRODUCT, "productSecret": "unused",
                 "topics": [{"topic": topic, "pub": True, "sub": True} for topic in topics],
                 "devices": [{"deviceName": name, "deviceSecret": f"secret of {name}"}
                             for name in names(count)]}]})
        return self._once(f"fixtures-{count}.json", make)

    def coap_fixtures(self, count):
        return self._once(f"coap-fixtures-{count}.json", lambda: json.dumps({"products": [
            {"cloud": "enos", "productKey": COAP_PRODUCT, "productSecret": "unused", "devices": [
                {"deviceKey": name, "deviceSecret": f"secret of {name}"}
                for name in names(count)]}]}))

    def credentials(self, mode, signed, count):
        """A line a device: login, topic to publish to, filter to subscribe to."""
        def line(number, name):
            fields = login(name) if signed else {"clientId": name, "username": "", "password": ""}
            return "\t".join([fields["clientId"], fields["username"], fields["password"],
                              *topics(mode, number, name, count)])
        return self._once(f"{mode}-{'signed' if signed else 'anonymous'}-{count}", lambda: "".join(
            f"{line(number, name)}\n" for number, name in enumerate(names(count))))

    def coap_sessions(self, own, count):
        """A line a session: identity, key, path that is asked for."""
        def line(name):
            if not own:
                return f"{name}\t{PSK.hex()}\t/time\n"
            key = hashlib.sha256(f"secret of {name}".encode()).digest()[8:24]
            return (f"{COAP_PRODUCT},{name},2,86400\t{key.hex()}\t"
                    f"/topic/sys/{COAP_PRODUCT}/{name}/thing/service/measurepoint/set\n")
        return self._once(f"sessions-{own}-{count}", lambda: "".join(map(line, names(count))))

    def requests(self, name, count, request):
        """What each connection sends, in hexadecimal."""
        return self._once(f"{name}-{count}", lambda: "".join(
            f"{request(device).hex()}\n" for device in names(count)))

    def certificate(self):
        """(certificate, key) on an elliptic curve."""
        paths = self.folder / "server.crt", self.folder / "server.key"
        if not paths[0].exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-days", "7",
                 "-out", str(paths[0]), "-keyout", str(paths[1])], check=True, capture_output=True)
        return paths


def topics(mode, number, name, count):
    """(topic, filter) of that device."""
    if mode == "fanout":
        return (f"/{PRODUCT}/everybody",) * 2
    if mode == "pairs":
        pair = f"/{PRODUCT}/{number % (count // 2)}/pair"
        return (pair, "") if number < count // 2 else ("", pair)
    if mode == "post":
        topic = f"/sys/{PRODUCT}/{name}/thing/event/property/post"
        return topic, topic + "_reply"
    return f"/{PRODUCT}/{name}/bench", ""


# ---- servers ----


class Server:
    """A program that can be started: `name` is what tables call it, `waits` the kind of port that
    says it is ready."""

    signed = False  # do its devices sign?
    version_arguments = ("--version",)
    waits = "mqtt"

    def program(self):
        """Its path, or None."""
        return shutil.which(self.name) or shutil.which(f"/usr/sbin/{self.name}")

    def version(self):
        result = subprocess.run([self.program(), *self.version_arguments], check=False, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        found = re.search(r"\d+\.\d+[\w.-]*", result.stdout)
        return found[0] if found else "unknown"


    def ports(self, files, given):
        """Those it listens at: as soon as it can say so, if they are not those it was given."""
        return given

    def recorded(self, process):
        """Events of its journal so far; None where there is no such thing."""


class Skymock(Server):
    """As it comes, with all that it has: signatures, rights, the journal, every listener. Its
    certificate is the one that the others show, unless it is to make its own as it does alone."""

    name, signed = "skymock", True
    version_arguments = ("version",)

    def program(self):
        return str(SKYMOCK) if SKYMOCK.exists() else None

    def command(self, files, _, devices=1000, coap_devices=0, own=False,
                options=()):
        fixtures = files.coap_fixtures(coap_devices) if coap_devices else files.fixtures(devices)
        certificate, key = files.certificate()
        shown = [] if own else ["--tls-cert", str(certificate), "--tls-key", str(key)]
        self.ports_file(files).unlink(missing_ok=True)
        return [self.program(), "serve", "--listen=all=0", "--ports-file",
                str(self.ports_file(files)), "--fixtures", str(fixtures), *shown, *options]

    @staticmethod
    def ports_file(files):
        return files.folder / "ports.json"

    def ports(self, files, _):
        try:
            return json.loads(self.ports_file(files).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None


    def recorded(self, process):
        url = f"http://127.0.0.1:{process.ports['admin']}/metrics"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return int(re.search(rb"^skymock_events_total (\d+)$", answer.read(), re.M)[1])


class Mosquitto(Server):
    """Anonymous devices and no rights: the least that it can be asked to do."""

    name = "mosquitto"
    version_arguments = ("-h",)

    def command(self, files, ports, **_):
        certificate, key = files.certificate()
        config = files.folder / "mosquitto.conf"
        config.write_text(
            f"listener {ports['mqtt']} 127.0.0.1\nallow_anonymous true\n"
            f"listener {ports['mqtts']} 127.0.0.1\nallow_anonymous true\n"
            f"certfile {certificate}\nkeyfile {key}\npersistence false\nset_tcp_nodelay true\n"
            "max_queued_messages 0\nmax_inflight_messages 0\nlog_dest none\nuser root\n")
        return [self.program(), "-c", str(config)]


class FlashMq(Server):
    """One thread, anonymous devices; not in Debian: measured where it is installed."""

    name = "FlashMQ"

    def program(self):
        return shutil.which("flashmq")

    def command(self, files, ports, **_):
        certificate, key = files.certificate()
        config = files.folder / "flashmq.conf"
        listen = "listen {{\n  protocol mqtt\n  inet_protocol ip4\n  inet4_bind_address 127.0.0.1\n" \
                 "  port {}\n{}}}\n"
        tls = f"  fullchain {certificate}\n  privkey {key}\n"
        config.write_text("allow_anonymous true\nthread_count 1\nquiet true\n"
                          f"log_file {files.folder}/flashmq.log\n"
                          + listen.format(ports["mqtt"], "") + listen.format(ports["mqtts"], tls))
        return [self.program(), "--config-file", str(config)]


class Nginx(Server):
    """One process that answers whatever is posted with a small JSON text."""

    name, waits = "nginx", "https"
    version_arguments = ("-v",)

    def command(self, files, ports, **_):
        certificate, key = files.certificate()
        config = files.folder / "nginx.conf"
        config.write_text(
            "daemon off; master_process off; worker_processes 1; error_log stderr crit;\n"
            f"pid {files.folder}/nginx.pid;\nevents {{ worker_connections 4096; }}\n"
            "http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600;\n"
            + "".join(f"{kind}_temp_path {files.folder}/{kind};\n" for kind in
                      ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"server {{ listen 127.0.0.1:{ports['https']} ssl;\n"
            f"ssl_certificate {certificate}; ssl_certificate_key {key};\n"
            "location / { default_type application/json;\n"
            "return 200 '{\"code\":200,\"data\":{\"iotId\":\"0123456789abcdef\"}}'; } } }\n")
        return [self.program(), "-c", str(config), "-p", str(files.folder)]


class CoapServer(Server):
    """The example server of libcoap: it looks nothing up and records nothing."""

    name, waits = "coap-server-gnutls", "coaps"
    version_arguments = ("-?",)

    def command(self, _, ports, **__):
        return [self.program(), "-A", "127.0.0.1", "-p", str(ports["coaps"] - 1), "-k",
                PSK.decode()]


class Bare(Server):
    """What the system alone takes; built beside the loads."""

    name = "bare"

    def program(self):
        return str(ROOT / "build/bench/bare")

    def version(self):
        return "loop"

    def command(self, _, ports, **__):
        return [self.program(), str(ports["mqtt"])]


SERVERS = {server.name: server
           for server in (Skymock(), Mosquitto(), FlashMq(), Nginx(), CoapServer(), Bare())}


class Process:
    """A server that runs: its pid, its ports by name, and how long it took to be ready."""

    def __init__(self, server, pid, ports, ready_ms):
        self.server, self.pid, self.ports, self.ready_ms = server, pid, ports, ready_ms

    def resident_bytes(self):
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def free_ports():
    """By the names of listeners. The example server of libcoap wants the one below its own, too."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in LISTENERS]
    ports = dict(zip(LISTENERS, (each.getsockname()[1] for each in taken)))
    for each in taken:
        each.close()
    return ports


@contextmanager
def on_processor(number):
    """Whoever is started in here stays on that processor: one for the server, one for the load."""
    before = os.sched_getaffinity(0)
    if BOTH_CPUS and number in before:
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def serving(server, files, **options):
    """A Process of that server, ready."""
    with open(files.folder / "stderr", "w+", encoding="utf-8") as errors:
        for left in range(TRIES - 1, -1, -1):
            given = free_ports()
            command = server.command(files, given, **options)
            with on_processor(0):
                start = time.monotonic()
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
            ports = ready(process, server, files, given)
            if ports:
                break
            if not left:
                errors.seek(0)
                raise SystemExit(f"bench: {server.name} did not start: {errors.read()[-2000:]}")
        try:
            yield Process(server, process.pid, ports, (time.monotonic() - start) * 1000)
            if process.poll() is not None:
                raise SystemExit(f"bench: {server.name} ended with {process.returncode}")
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def ready(process, server, files, given):
    """Its ports once a device is answered, for what speaks MQTT; once a connection is accepted, or a
    port is bound, for others. None: it has ended, as when somebody else has taken a port."""
    ask = {"mqtt": is_answered, "https": accepts, "coaps": is_bound}[server.waits]
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        ports = server.ports(files, given)
        if ports and ask(server, ports[server.waits]):
            return ports
        if process.poll() is not None:
            return None
        time.sleep(0.0003)
    process.kill()
    process.wait()
    return None


def connect_packet(server, name="device00000", securemode="3"):
    fields = login(name, securemode) if server.signed else {"clientId": name}
    return packets.encode({"type": "connect", "clean": True, "keepalive": 300, **fields})


def is_answered(server, port):
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as device:
            device.sendall(connect_packet(server))
            return device.recv(4)[:1] == b"\x20"
    except ConnectionRefusedError:
        return False


def accepts(_, port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


def is_bound(_, port):
    return f":{port:04X} " in Path("/proc/net/udp").read_text()
