"""skymock for tests in Python: a pytest plugin, or a module to import. One file: copy it.

    # conftest.py, with skymock.py beside it
    pytest_plugins = ["skymock"]

    # test_firmware.py
    def test_it_reports(skymock_device):
        start_firmware(skymock_device.mqtt)    # host, port, client_id, username, password
        skymock_device.wait({"type": "publish", "payload": {"pointer": "/params/temp", "min": 20}})
        skymock_device.assert_passed()

Without pytest:

    import skymock
    with skymock.start(fixtures="devices.json") as server:
        device = server.device("aliyun/pk")

A server that SKYMOCK_URL names is used, and never ended. Else one is started for the tests, on free
ports: the program that SKYMOCK names, or `skymock` on the PATH. It ends with the tests, also when
they are killed. `pytest --help` lists the options, README.md all words. Python 3.8 or later.
"""

import base64
import contextlib
import http.client
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

try:
    import pytest
except ImportError:  # then it is a module only
    pytest = None

__tracebackhide__ = True  # pytest shows the line of the test, not where it failed in here

PATIENCE_S = 30  # for an answer, besides what it was asked to wait for
LAST_EVENTS = 10  # are told with what failed
KEEPALIVE_S = 60  # is taken by every cloud

# The server's life hangs on this process: a shell keeps it, and reads from a pipe that ends when
# whoever holds its other end does, however that comes about.
KEEPER = '"$@" </dev/null & exec >/dev/null; read -r _; kill $! 2>/dev/null; wait $!; ' \
         'code=$?; rm -rf -- "$0"; exit $code'


class SkymockError(Exception):
    """No server: the text says why, and what to do."""


class ApiError(SkymockError):
    """The API answered with an error."""

    def __init__(self, asked, status, text):
        try:
            error = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):  # not skymock's
            error = {"message": text[:200].decode(errors="replace")}
        self.status, self.code, self.pointer = status, error.get("code"), error.get("pointer")
        where = f" (at {self.pointer})" if self.pointer else ""
        super().__init__(f"{asked}: {status}: {error['message']}{where}")


class Mqtt(NamedTuple):
    """What a device logs in with."""

    host: str
    port: int
    client_id: str
    username: str
    password: str
    keepalive: int


# ---- what is said when something does not hold ----

UNTOLD = {"seq", "time", "realTime", "type", "direction", "transport", "connection", "device",
          "peer", "cloud", "product", "deviceKey", "json", "explanation", "findings", "refused"}


def _shown(value, length=120):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else f"{text[:length]}... ({len(text)} characters)"


def _event_line(event):
    """An event in one line, as `skymock events` has it."""
    way = {"up": ">", "down": "<"}.get(event.get("direction"), "-")
    told = [key if value is True else f"{key}={_shown(value)}" for key, value in event.items()
            if key not in UNTOLD and value is not False]
    broken = [f"| {'refused by ' if each['rule'] == event.get('refused') else ''}{each['rule']}: "
              f"{each.get('detail', '')}" for each in event.get("findings", [])]
    return " ".join([f"{event['seq']:6}", event["time"][11:23], way, event["type"], *told, *broken])


def _miss_line(miss):
    """What came near, and what differs."""
    def quoted(value):
        return value if value == "nothing" else _shown(json.dumps(value, ensure_ascii=False))

    return f"  nearest, seq {miss['seq']}: " + "; ".join(
        f"{each['pointer']} is {quoted(each['found'])}, wanted {quoted(each['wanted'])}"
        for each in miss["differs"])


def _refusal_lines(event):
    """Why a device was turned away, and what it should do."""
    finding, told = (event.get("findings") or [{}])[0], event.get("explanation", {})
    rules = dict.fromkeys([event["refused"], told.get("rule") or event["refused"]])
    said = {"due": told.get("signedText"), "signed": told.get("sentText"),
            "hint": told.get("hint") or finding.get("hint")}
    return [f"  seq {event['seq']} was refused by {', '.join(rules)}: "
            f"{told.get('what') or finding.get('detail', '')}",
            *(f"    {label + ':':7} {text}" for label, text in said.items() if text)]


def _broken_lines(device, bad):
    """The rules that a device broke; their names come first, where a summary is not cut."""
    names = [rule["id"] for rule in device["rules"] if rule["verdict"] == device["verdict"]]
    yield f"{device['verdict']} {', '.join(names)}: {device['device']}"
    for rule in device["rules"]:
        if rule["verdict"] in bad:
            yield f"  {rule['verdict']} {rule['id']}: {rule['statement']}"
            yield f"    found:  {rule.get('what') or rule.get('detail', '')}"
            yield f"    hint:   {rule['hint']}"
            yield f"    events: {' '.join(map(str, rule.get('events', [])))}"


# ---- the API's words for Python's ----

def _camel(name):
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _body(fields):
    """wait_ms=5 is "waitMs": 5; what is None is left out."""
    return {_camel(key): value for key, value in fields.items() if value is not None}


def _seq(since):
    """An event may stand for its number."""
    return since["seq"] if isinstance(since, dict) else since


def _product(name):
    """As it was given, if it is one."""
    if isinstance(name, str) and re.fullmatch("[^/]+/[^/]+", name):
        return name
    raise SkymockError(f"{name!r} is no product: give it as cloud/product, as in 'aliyun/pk'")


def _count(count):
    return {"min": count, "max": count} if isinstance(count, int) else count


class Scope:
    """What can be asked of the server, of a product or of a device; `whom` is {}, {"product": ..}
    or {"device": ..}."""

    def __init__(self, server, whom):
        self.server, self.whom = server, whom

    def _alone(self, why):
        """What concerns everybody is not for a test that shares the server."""
        if self.server.shared and not self.whom:
            raise SkymockError(f"{why}, and the workers of pytest-xdist share this server: let the "
                               "test ask for the fixture skymock_own, a server of its own")

    def _search(self, event=None, **more):
        body = _body({"event": {**self.whom, **(event or {})}, **more})
        return self.server.api("POST", "events/search", body)["events"]

    def events(self, event=None, since=None, limit=1000, run=None):
        """Those that match, of this chapter or of the whole run, the oldest first."""
        return self._search(event, since=_seq(since), limit=limit, run=run)

    def _claim(self, wait_ms, **claim):
        body = _body({**self.whom, "wait_ms": wait_ms, **claim})
        answer = self.server.api("POST", "verify", body, ok=(406,), wait_ms=wait_ms)
        if not answer["holds"]:
            raise AssertionError("\n".join([answer["why"], *map(_miss_line, answer["nearest"]),
                                            *self._told()]))
        numbers, found = set(answer["events"]), []
        since, last = min(numbers, default=1) - 1, max(numbers, default=0)
        while since < last:
            page = self._search(since=since, before=last + 1, limit=1000, run=True)
            found += [event for event in page if event["seq"] in numbers]
            since = page[-1]["seq"] if page else last  # the journal has room for so many
        return found

    def verify(self, event=None, sequence=None, absent=None, count=None, since=None, wait_ms=0,
               within_ms=None):
        """Asserts that `event` happened (`count` times: a number, or {"min", "max"}), or the
        `sequence` in this order, or that nothing `absent` did; gives the events that show it."""
        if sum(each is not None for each in (event, sequence, absent)) != 1 or \
                not isinstance(sequence or [], (list, tuple)):
            raise SkymockError("verify() takes one claim: event={..}, absent={..} or, for several "
                               "events in this order, sequence=[{..}, {..}]")
        return self._claim(wait_ms, event=event, sequence=sequence, absent=absent,
                           count=_count(count), since=_seq(since), within_ms=within_ms)

    def wait(self, event, count=1, wait_ms=5000, since=None):
        """Waits until so many have come, at least, and gives them."""
        return self._claim(wait_ms, event=event, count={"min": count}, since=_seq(since))

    def absent(self, event, wait_ms=0, since=None):
        """Asserts that none has come, nor does within wait_ms."""
        self._claim(wait_ms, absent=event, since=_seq(since))

    def verdict(self, run=None):
        """{"verdict": "passed", "warned", "not exercised" or "failed", "devices": [..]}."""
        return self.server.api("GET", "verdicts", query={**self.whom, "run": run and "true"})

    def assert_passed(self, strict=False, run=None):
        """Asserts that no rule was broken; strict: none that only warns either."""
        answer, bad = self.verdict(run), ("failed", "warned") if strict else ("failed",)
        if answer["verdict"] == "not exercised":
            raise AssertionError("not exercised: nothing came that a rule is about")
        if answer["verdict"] in bad:
            raise AssertionError("\n".join(line for device in answer["devices"]
                                           if device["verdict"] in bad
                                           for line in _broken_lines(device, bad)))

    def _make(self, kind, **fields):
        body = _body({**self.whom, **fields})
        if not {"device", "product"} & set(body):
            self._alone("without a device or product this concerns all devices")
        made = Made(self, kind, self.server.api("POST", kind, body)["id"])
        if "device" not in self.whom:  # a device's goes with the device
            self.server.made.append(made)
        return made

    def fault(self, point, action, **fields):
        """Breaks something: fault("puback-down", "withhold", count=2). It goes with the test."""
        return self._make("faults", point=point, action=action, **fields)

    @property
    def faults(self):
        """What is broken on purpose now."""
        return self.server.api("GET", "faults", query=self.whom)["faults"]

    def expect(self, rule=None, event=None, count=None, **fields):
        """Announces that a rule is to be broken, or that events are to come. That counts against
        nobody; that it does not come fails the verdict. It goes with the test."""
        return self._make("expected", rule=rule, event=event, count=_count(count), **fields)

    def clear(self):
        """Breaks nothing and expects nothing any more."""
        self._alone("clear() concerns all devices")
        self.server.api("DELETE", "faults", query=self.whom)
        self.server.api("DELETE", "expected", query=self.whom)

    def reset(self):
        """As the fixtures have it, and a new chapter of events and verdicts."""
        self._alone("reset() concerns all devices")
        self.server.api("POST", "reset", self.whom)

    def suite(self, name, timeout_s=600, **more):
        """Puts devices to the test with a device suite; gives the run, ended or stopped."""
        run = "suites/runs/" + self.server.api("POST", "suites/runs",
                                               _body({"suite": name, **self.whom, **more}))["id"]
        end = time.monotonic() + timeout_s
        while True:
            state = self.server.api("GET", run)
            if state["state"] != "running":
                return state
            if time.monotonic() > end:
                self.server.api("POST", run + "/stop")
            time.sleep(0.2)

    def junit(self, path, run=True):
        """Writes the report of the rules as JUnit XML, beside pytest's own --junitxml."""
        return self.write_report(path, "xml", run)

    def write_report(self, path, form="html", run=True):
        """Writes the report of the rules, of the whole run: as html, xml or json."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.server.api("GET", f"report.{form}", raw=True,
                                         query={**self.whom, "run": run and "true"}))
        return path

    def _told(self):
        refused = self._search({"refused": True}, limit=3, order="desc")
        mine = self._search(limit=LAST_EVENTS, order="desc")
        spoke = not self.whom or any(event.get("direction") == "up" for event in mine)
        last = mine if spoke or self.server.shared else \
            Scope(self.server, {})._search(limit=LAST_EVENTS, order="desc")
        whose = "" if spoke else "it did nothing; " + ("of all devices, " if last != mine else "")
        return [*(line for event in refused[::-1] for line in _refusal_lines(event)),
                f"  {whose}the last events:", *(f"  {_event_line(event)}" for event in last[::-1])]

    def report(self):
        """What was refused and why, and the last events, to read."""
        return "\n".join([next(iter(self.whom.values()), "all devices"), *self._told()])


class Made:
    """A fault or an expectation; `with` ends it."""

    def __init__(self, scope, kind, number):
        self._scope, self._kind, self.id = scope, kind, number

    @property
    def fired(self):
        """How often it happened."""
        all_of_them = self._scope.server.api("GET", self._kind)[self._kind]
        this = next(each for each in all_of_them if each["id"] == self.id)
        return this["fired"] if self._kind == "faults" else this["came"]

    def remove(self):
        with contextlib.suppress(ApiError):  # it may have gone with a reset
            self._scope.server.api("DELETE", f"{self._kind}/{self.id}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


class Device(Scope):
    """A device as the cloud sees it; `mqtt` is what its firmware logs in with."""

    def __init__(self, server, record, fields=None):
        super().__init__(server, {"device": record["name"]})
        self.id = record["name"]
        self.cloud, self.product, self.key = self.id.split("/", 2)
        self.secret, self.temporary = record["secret"], record.get("temporary")
        self._fields = {**(fields or {}), "device": self.key, "secret": self.secret}
        self._path = "devices/" + quote(self.id)
        self.credentials = record.get("credentials") or self._call("GET", "/credentials")

    def __repr__(self):
        return f"<device {self.id}>"

    def _call(self, method, what, body=None, **options):
        return self.server.api(method, self._path + what, body, **options)

    @property
    def mqtt(self):
        """The login without TLS, as signed when the device was made."""
        return self._login("mqtt", self.credentials)

    @property
    def mqtts(self):
        """The login over TLS; the certificate to trust is `server.ca_file`."""
        return self._login("mqtts", self.credentials.get("tls", self.credentials))

    def _login(self, listener, signed):
        own = f"{self.cloud}-{listener}"
        port = self.server.port(own if own in self.server.ports else listener)
        return Mqtt(self.server.host, port, signed["clientId"], signed["username"],
                    signed["password"], KEEPALIVE_S)

    def sign(self):
        """Signs the logins anew: time has passed."""
        self.credentials = self._call("GET", "/credentials")

    def certificate(self, key="ec"):
        """{"certificate", "key"}, as PEM: one that the device logs in with over TLS."""
        return self._call("POST", "/certificates", {"key": key})

    @property
    def online(self):
        return self._call("GET", "")["online"]

    def message(self, topic, payload="", qos=0):
        """From the cloud to the device: text, bytes, or what is sent as JSON."""
        content = {"payloadBase64": base64.b64encode(payload).decode()} \
            if isinstance(payload, (bytes, bytearray)) else \
            {"payload": payload if isinstance(payload, str) else json.dumps(payload)}
        return self._call("POST", "/messages", {"topic": topic, "qos": qos, **content})

    def command(self, kind, wait_ms=5000, **more):
        """command("property-set", params={..}): what the device made of it."""
        body = _body({"kind": kind, "wait_ms": wait_ms, **more})
        return self._call("POST", "/commands", body, wait_ms=wait_ms)

    def shadow(self, **change):
        """Reads it; shadow(desired={..}) changes it."""
        return self._call("PATCH" if change else "GET", "/shadow", change or None)

    def disconnect(self):
        """The cloud closes the connection."""
        self._call("POST", "/disconnect")

    def reset(self):
        """A new chapter; a temporary device is there again, with its key and secret."""
        super().reset()
        if self.temporary:
            self.server.make(f"{self.cloud}/{self.product}", self._fields)

    def remove(self):
        """It goes, with its faults and expectations. One that was there before is reset."""
        super().reset()


class Clock:
    """Virtual time, of the whole server, in ms since 1970: keepalive, tokens, sessions go by it."""

    def __init__(self, server):
        self._server, self.stopped = server, False

    def _move(self, what, body=None):
        self._server._alone("the clock is everybody's")
        answer = self._server.api("POST", f"clock/{what}", body)
        self.stopped = answer["frozen"]
        return answer["unixMs"]

    def now(self):
        return self._server.api("GET", "clock")["unixMs"]

    def freeze(self):
        return self._move("freeze")

    def advance(self, ms):
        """Moves on; returns when all that was due by then has happened."""
        return self._move("advance", {"ms": ms})

    def set(self, unix_ms):
        return self._move("set", {"unixMs": unix_ms})

    def resume(self):
        return self._move("resume")


class Server(Scope):
    """A skymock that runs; start() and connect() make one."""

    def __init__(self, url, patience_s=10, program=None):
        super().__init__(self, {})
        self.url, self._program = url.rstrip("/"), program
        self._token = os.environ.get("SKYMOCK_ADMIN_TOKEN")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.clock, self.shared, self.usual = Clock(self), False, None
        self.made = []  # what goes with the test: devices and faults
        # What exec sets, or whoever maps the ports of a container, is nearer than what it says.
        near = os.environ if os.environ.get("SKYMOCK_URL", "").rstrip("/") == self.url else {}
        self._ca, self._ca_file = None, near.get("SKYMOCK_CA")
        self.host = near.get("SKYMOCK_HOST") or urlsplit(self.url).hostname
        if not self.host:
            raise SkymockError(f"{url!r} is no URL: SKYMOCK_URL is one as http://localhost:8080")
        self.ports = {
            name: int(near.get("SKYMOCK_PORT_" + name.upper().replace("-", "_"), port))
            for name, port in self._await(time.monotonic() + patience_s).items()}

    def _await(self, end):
        """The listeners, when it is there."""
        while True:
            try:
                return self.api("GET", "/version")["listeners"]
            except (TypeError, KeyError, ApiError) as error:
                raise SkymockError(f"what answers at {self.url} is not skymock's admin API: mend "
                                   f"SKYMOCK_URL ({error})") from None
            except SkymockError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    @property
    def environment(self):
        """What `skymock exec` sets, for firmware: {**os.environ, **server.environment}."""
        ports = {"SKYMOCK_PORT_" + name.upper().replace("-", "_"): str(port)
                 for name, port in self.ports.items()}
        token = {"SKYMOCK_ADMIN_TOKEN": self._token} if self._token else {}
        return {"SKYMOCK_URL": self.url, "SKYMOCK_HOST": self.host, "SKYMOCK_CA": self.ca_file,
                **ports, **token}

    @property
    def started(self):
        """By this process: otherwise it is not ended."""
        return self._program is not None

    def port(self, name):
        """Of "mqtt", "mqtts", "coaps", "https", "admin", ..."""
        if name not in self.ports:
            raise SkymockError(f"{self.url} has no listener {name!r}, only {', '.join(self.ports)}")
        return self.ports[name]

    @property
    def ca_file(self):
        """The certificate that devices are to trust, in a file."""
        if not self._ca_file or not os.path.exists(self._ca_file):
            self._ca = tempfile.NamedTemporaryFile(prefix="skymock-", suffix=".crt")
            self._ca.write(self.api("GET", "/ca.crt", raw=True))
            self._ca.flush()
            self._ca_file = self._ca.name
        return self._ca_file

    def api(self, method, path, body=None, query=None, ok=(), wait_ms=0, raw=False):
        """Any route: "/version", or "faults" for "/api/v1/faults"; JSON both ways. Errors are
        raised with the API's words, unless their status is in `ok`."""
        path = path if path.startswith("/") else "/api/v1/" + path
        query = urlencode({key: value for key, value in (query or {}).items() if value is not None})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path + ("?" + query if query else ""), data,
                                         method=method)
        request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=PATIENCE_S + (wait_ms or 0) / 1000) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            if error.code not in ok:
                raise ApiError(f"{method} {path}", error.code, text) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SkymockError(self._gone(error)) from None
        if raw:
            return text
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text.decode(errors="replace")

    def _gone(self, error):
        if self._program:
            return f"skymock has ended: {self._program.errors() or error}"
        reason = getattr(error, "reason", error)
        return f"no skymock answers at {self.url} ({reason}): start it, or mend its address"

    def make(self, product, fields):
        cloud, _, key = product.partition("/")
        return self.api("POST", "devices", {"cloud": cloud, "product": key, "temporary": True,
                                            **_body(fields)}, query={"secrets": "true"})

    def device(self, product=None, **fields):
        """device("cloud/product") makes a temporary one, with a key and a secret, that goes with
        the test; device("cloud/product/key") is one that is there already."""
        product = product or self.usual or self._first_product()
        if str(product).count("/") > 1:
            record = self.api("GET", "devices/" + quote(product), query={"secrets": "true"})
        else:
            record = self.make(_product(product), fields)
        self.made.append(Device(self, record, fields))
        return self.made[-1]

    def product(self, product):
        """All that can be asked, of the devices of "cloud/key"."""
        return Scope(self, {"product": _product(product)})

    def _first_product(self):
        for product in self.api("GET", "products")["products"]:
            return f"{product['cloud']}/{product['product']}"
        raise SkymockError("the server has no product to make a device of: name a fixture with "
                           "--skymock-fixtures or SKYMOCK_FIXTURES")

    def add(self, fixture):
        """Products and devices of a fixture: a file, a folder, or {"products": [..]}."""
        if isinstance(fixture, dict):
            self.api("POST", "products", fixture)
        elif os.path.isdir(fixture):
            for path in sorted(Path(fixture).glob("*.json")):
                self.add(path)
        else:
            self.add(json.loads(Path(fixture).read_text(encoding="utf-8")))

    def snapshot(self, name, product=None):
        """What is kept, and gone back to, is all there is, or all of a product."""
        self.api("POST", "snapshots", _body({"name": name, "product": product}))

    def restore(self, name, product=None):
        if not product:
            self._alone("restoring everything concerns all devices")
        self.api("POST", f"snapshots/{quote(name)}/restore", _body({"product": product}))

    def tidy(self, keep=()):
        """Removes what was made here, the newest first, and lets a clock run that was stopped."""
        for each in self.made[::-1]:
            if each not in keep:
                each.remove()
        self.made = [each for each in self.made if each in keep]
        if self.clock.stopped:
            self.clock.resume()

    def stop(self):
        """Ends a server that was started here; one of others is left tidy."""
        if self._program:
            self._program.end()
        else:
            with contextlib.suppress(SkymockError):
                self.tidy()
        if self._ca:
            self._ca.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()


class _Program:
    """A server of ours: free ports, nothing kept, gone when this process is."""

    def __init__(self, program, fixtures, options):
        folder = Path(tempfile.mkdtemp(prefix="skymock-"))
        self._errors = folder / "errors"
        command = [program, "serve", "--host", "127.0.0.1", "--listen", "all=0", "--quiet",
                   "--store", ":memory:", "--ports-file", folder / "ports.json"]
        command += ["--fixtures", fixtures] if fixtures else []
        with open(self._errors, "wb") as errors:
            # Ctrl-C is for the tests: the server has to be there for what they say at the end.
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, *map(str, [folder, *command, *options])],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True)
        readable, _, _ = select.select([self._keeper.stdout], [], [], PATIENCE_S)
        if not readable or not self._keeper.stdout.readline():
            reason = self.errors() or f"nothing was heard of it for {PATIENCE_S} s"
            self.end()
            raise SkymockError(f"skymock did not start: {reason}")
        self.port = json.loads((folder / "ports.json").read_text())["admin"]

    def errors(self):
        with contextlib.suppress(OSError):
            return self._errors.read_text(errors="replace").strip()
        return ""

    def end(self):
        self._keeper.stdin.close()
        self._keeper.wait(PATIENCE_S)
        self._keeper.stdout.close()


def find_program(program=None):
    """The one named, that of SKYMOCK, or skymock on the PATH."""
    wanted = str(program or os.environ.get("SKYMOCK") or "skymock")
    found = shutil.which(wanted)
    if not found:
        raise SkymockError(f"there is no program {wanted!r}: put skymock on the PATH, name it in "
                           "SKYMOCK, or name a running server in SKYMOCK_URL")
    return found


def start(fixtures=None, program=None, options=()):
    """A server of one's own. `fixtures`: a file, a folder or {"products": [..]}; without, those of
    SKYMOCK_FIXTURES. `options`: further ones of `skymock serve`."""
    inside = isinstance(fixtures, dict)
    running = _Program(find_program(program), None if inside else fixtures, options)
    server = Server(f"http://127.0.0.1:{running.port}", program=running)
    if inside:
        server.add(fixtures)
    return server


def connect(url=None, fixtures=None, patience_s=10):
    """A server that runs: that of SKYMOCK_URL. One that is just starting is waited for; what
    `fixtures` has is added to what it has."""
    url = url or os.environ.get("SKYMOCK_URL")
    if not url:
        raise SkymockError("no server is named: set SKYMOCK_URL to the address of its admin API")
    server = Server(url, patience_s)
    if fixtures:
        server.add(fixtures)
    return server


# ---- the pytest plugin ----

OPTIONS = {
    "url": "use the server at this address, and start none [SKYMOCK_URL]",
    "program": "the program to start [SKYMOCK; default: skymock on the PATH]",
    "fixtures": "products and devices: a file or folder [SKYMOCK_FIXTURES]",
    "product": "cloud/key: what temporary devices are of [default: the first that there is]",
    "report": "write report.html, report.xml (JUnit) and report.json of the rules into this folder",
    "verdict": "failed or warned: when the verdict of all devices is that, or worse, so is the run",
}
PLUGIN = "skymock-session"
MARK = "product='cloud/key', passed=True or 'strict', and device, secret, enabled, asset_id, " \
       "fingerprint, temporary"


def _fail(text):
    error = pytest.fail.Exception(text, pytrace=False)
    error.first_line = text.partition("\n")[0]
    raise error


def _summarise(report, error):
    """A failure of ours is without a traceback, for which pytest has no line in its summary."""
    with contextlib.suppress(AttributeError, ImportError):
        from _pytest._code.code import ReprFileLocation
        path, line, _ = report.location
        where = ReprFileLocation(path, (line or 0) + 1, error.first_line)
        chain = report.longrepr.chain
        chain[-1] = (chain[-1][0], where, *chain[-1][2:])
        report.longrepr.reprcrash = where


def _or_fail(function, *arguments, fail=_fail, **options):
    """Errors of whoever sets up tests are one line."""
    try:
        return function(*arguments, **options)
    except (SkymockError, AssertionError) as error:
        text = str(error)
    return fail(text)


def _words(fields):
    return ", ".join(f"{name}={value!r}" for name, value in fields.items())


def _marked(item):
    """What the mark of a test says."""
    marker = item.get_closest_marker("skymock")
    said = dict(marker.kwargs) if marker else {}
    if marker and (marker.args or said.get("passed") not in (None, True, False, "strict")):
        given = ", ".join([*map(repr, marker.args), *filter(None, [_words(said)])])
        _fail(f"@pytest.mark.skymock({given}): the mark takes {MARK}")
    return said


def _fixture(**options):
    return pytest.fixture(**options) if pytest else lambda function: function


def _hook(**options):
    return pytest.hookimpl(**options) if pytest else lambda function: function


def pytest_addoption(parser):
    group = parser.getgroup("skymock", "skymock, which plays the cloud")
    for name, text in OPTIONS.items():
        choices = {"choices": ["failed", "warned"]} if name == "verdict" else {}
        group.addoption(f"--skymock-{name}", help=text, **choices)
        parser.addini(f"skymock_{name}", text)


def pytest_configure(config):
    config.addinivalue_line("markers", f"skymock({MARK}): of which product skymock_device is, with "
                            "which fields; passed: the test fails when the device broke a rule")
    config.pluginmanager.register(_Session(config), PLUGIN)


@_fixture(scope="session", name="skymock")
def _skymock(request):
    """The server, one for all tests and workers."""
    return request.config.pluginmanager.get_plugin(PLUGIN).server()


@_fixture(name="skymock_own")
def _skymock_own(request):
    """A server of this test's own, whose clock it may move."""
    yield from request.config.pluginmanager.get_plugin(PLUGIN).own(request.node)


@_fixture(name="skymock_device")
def _skymock_device(request):
    """A temporary device; what is broken for it is mended after the test."""
    own = "skymock_own" in request.fixturenames
    server = request.getfixturevalue("skymock_own" if own else "skymock")
    fields = _marked(request.node)
    fields.pop("passed", None)

    def made():
        try:
            return server.device(fields.pop("product", None), **fields)
        except ApiError as error:
            if error.pointer in ["/" + _camel(name) for name in fields]:
                raise SkymockError(f"@pytest.mark.skymock({_words(fields)}): {error}\n"
                                   f"the mark takes {MARK}") from None
            raise
    return _or_fail(made)


class _Session:
    """The servers of a run of pytest, and what is said about them."""

    def __init__(self, config):
        self.config, self._input = config, getattr(config, "workerinput", {})
        self._server = self._own = self._error = None
        self._lasting = []  # what fixtures made that outlive a test
        self._said = []

    def option(self, name):
        """From the command line, or from the ini file."""
        given, ini = self.config.getoption(f"skymock_{name}"), self.config.getini(f"skymock_{name}")
        if name in ("fixtures", "report") and (given or ini):
            folder = self.config.invocation_params.dir if given else self.config.rootpath
            return folder / (given or ini)
        return given or ini or None

    def _start(self):
        server = start(self.option("fixtures"), self.option("program"))
        server.usual = self.option("product")
        return server

    def _find(self):
        """Once for a session: under pytest-xdist the controller does, and says where it is."""
        if self._server or self._error:
            return
        self._error = self._input.get("skymock_error")
        url = self._input.get("skymock_url") or self.option("url") or os.environ.get("SKYMOCK_URL")
        try:
            if url and not self._error:
                self._server = connect(url, None if self._input else self.option("fixtures"))
                self._server.usual = self.option("product")
                self._server.shared = self._input.get("workercount", 1) > 1
            elif not self._error:
                self._server = self._start()
        except (SkymockError, OSError, ValueError) as error:
            self._error = str(error)

    @_hook(optionalhook=True)
    def pytest_configure_node(self, node):
        self._find()
        node.workerinput["skymock_url"] = self._server and self._server.url
        node.workerinput["skymock_error"] = self._error

    def server(self):
        self._find()
        return self._server or _fail(self._error)

    def own(self, node):
        if self.option("url") or os.environ.get("SKYMOCK_URL"):  # there may be no program here
            _or_fail(find_program, self.option("program"), fail=pytest.skip)
        self._own = _or_fail(self._start)
        yield self._own
        try:
            if self.option("report"):
                name = re.sub(r"[^\w.-]+", "_", node.nodeid) + ".html"
                self._own.write_report(self.option("report") / name)
        finally:
            self._own.stop()
            self._own = None

    @_hook(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        before = list(self._server.made) if self._server else []
        yield
        if fixturedef.scope != "function" and self._server:
            self._lasting += [each for each in self._server.made if each not in before]

    @_hook(trylast=True)
    def pytest_runtest_call(self, item):
        """Behind the test itself, if that passed."""
        passed = _marked(item).get("passed")
        for device in self._devices() if passed else ():
            _or_fail(device.assert_passed, strict=passed == "strict")

    def _devices(self):
        """Of this test alone."""
        return [each for server in (self._own, self._server) if server for each in server.made
                if isinstance(each, Device) and each not in self._lasting]

    @_hook(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        if report.failed:
            _summarise(report, call.excinfo.value)
        if report.failed and call.when != "teardown":
            lasting = [each for each in self._lasting if isinstance(each, Device)]
            server = self._own or self._server
            used = server and "skymock" in "".join(item.fixturenames)
            for whom in self._devices() or lasting or ([server] if used else []):
                with contextlib.suppress(SkymockError):
                    text = whom.report()
                    if text.partition("\n")[2] not in str(call.excinfo.value):
                        report.sections.append(("skymock", text))

    @_hook(trylast=True)
    def pytest_runtest_teardown(self):
        if self._server:
            with contextlib.suppress(SkymockError):
                self._server.tidy(keep=self._lasting)

    @_hook(trylast=True)
    def pytest_sessionfinish(self, session):
        if self._server and not self._input:
            self._conclude(session)
        if self._server:
            self._server.stop()

    def _conclude(self, session):
        """What --skymock-report and --skymock-verdict ask for."""
        ours = not self._server.usual or self._server.started
        whom = self._server if ours else self._server.product(self._server.usual)
        folder, verdict = self.option("report"), self.option("verdict")
        try:
            for form in ("html", "xml", "json") if folder else ():
                self._said += [str(whom.write_report(folder / f"report.{form}", form))]
            if verdict:
                whom.assert_passed(strict=verdict == "warned", run=True)
        except (AssertionError, SkymockError, OSError) as error:
            self._said.append(str(error))
            session.exitstatus = session.exitstatus or 1

    def pytest_terminal_summary(self, terminalreporter):
        if self._said:
            terminalreporter.section("skymock")
            terminalreporter.write_line("\n".join(self._said))
