"""report.xml, report.html and report.json: what they tell, to whom, and how."""

import html.parser
import http.client
import json
import re
import socket
import time
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import server
from credentials import login

DEVICE = "aliyun/pk/device"
ROUTES = ("/api/v1/report.xml", "/api/v1/report.json", "/api/v1/report.html")
ENDS = {"/api/v1/report.xml": "</testsuites>\n", "/api/v1/report.json": "]}\n",
        "/api/v1/report.html": "</html>\n"}
VALUES_ONLY = "12345devicepk1548753362502"
DUE = "clientId12345deviceNamedeviceproductKeypktimestamp1548753362502"


@pytest.fixture
def publish(api, online):
    """publish(topic, payload) as the device, on one connection, and waits until it was seen."""
    devices = {}

    def act(topic, payload="x", device=DEVICE):
        since = api.last_seq()
        if device not in devices:
            devices[device] = online(device)
        devices[device].send_packet(type="publish", payload=payload, topic=topic)
        return api.wait_event({"type": "publish", "device": device}, since=since)["seq"]
    return act


@pytest.fixture
def values_only(api, peer):
    """Signs the values without their names, and is refused; gives the event."""
    signed = login(DEVICE)
    wrong = {**signed, "password": "7c4f68753a800e3208baa3a4b984877443f5cfc8"}
    since = api.last_seq()
    one = peer()
    one.send_packet(type="connect", keepalive=60, **wrong)
    assert one.receive()["code"] == 4
    return api.wait_event({"type": "connect"}, since=since)


def suites(api, **query):
    return {suite.get("name"): suite for suite in
            ElementTree.fromstring(api.get("/api/v1/report.xml", **query))}


def case(suite, rule):
    found, = (each for each in suite.iter("testcase") if each.get("name").startswith(rule + ":"))
    return found


class Page(html.parser.HTMLParser):
    """The elements of a page, and its text."""

    VOID = {"meta", "br", "link", "img", "input", "td", "th", "tr", "dt", "dd"}  # or may be

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.attributes, self.text, self.open = set(), [], set(), "", []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


# ---- routes ----

@pytest.mark.parametrize("route", ROUTES)
def test_whom_it_is_about(api, publish, refused, route):
    publish("/pk/device/user/both")
    publish("/pk/second/user/update", device="aliyun/pk/second")
    whole = api.request("GET", route)[1]
    assert "aliyun/pk/second" in str(whole)
    for query in ({"device": DEVICE}, {"product": "aliyun/pk", "device": None}):
        status, answer = api.request("GET", route, **query)
        assert status == 200 and DEVICE in str(answer)
        assert ("pk/second" in str(answer)) == ("product" in query)
    assert DEVICE not in str(api.get(route, product="tencent/PROD123456"))
    refused(404, "GET", route, device="aliyun/pk/nobody")
    refused(400, "GET", route, device="nobody")
    refused(400, "GET", route, run="perhaps")
    refused(400, "GET", route, nonsense="1")
    refused(400, "GET", route, device=DEVICE, product="aliyun/pk")


@pytest.mark.parametrize("route", ROUTES)
def test_a_device_that_has_shown_nothing_is_not_green(api, route):
    told = api.get(route, device=DEVICE)
    assert DEVICE in str(told) and "not exercised" in str(told)
    assert "'verdict': 'passed'" not in str(told) and 'value="passed"' not in str(told)


def test_what_a_removed_device_has_shown_stays(api, peer):
    """As the devices of kits are, each at the end of its test."""
    made = api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "temporary": True})
    client = peer()
    client.send_packet(type="connect", **{field: made["credentials"][field] for field in
                                          ("clientId", "username", "password")})
    assert client.receive()["code"] == 0
    before = suites(api, run="true")[made["name"]]
    assert api.request("DELETE", f"/api/v1/devices/{made['name']}")[0] == 204
    after = suites(api, run="true")[made["name"]]
    assert int(after.get("tests")) == int(before.get("tests")) > int(after.get("skipped"))
    assert after.get("failures") == "0"
    report, = api.get("/api/v1/report.json", device=made["name"], run="true")["devices"]
    assert report["registered"] is False and report["verdict"] == "passed"
    assert "ALI-SIGN" in [rule["id"] for rule in report["rules"] if rule["verdict"] == "passed"]
    assert "it has been removed" in api.get("/api/v1/report.html", run="true")


@pytest.mark.parametrize("route", ROUTES)
def test_a_report_needs_the_token(start, route):
    port = start("--admin-token", "s3cret").ports["admin"]
    closed, opened = server.Api(port), server.Api(port, "s3cret")
    assert closed.request("GET", route)[0] == 401
    assert opened.request("GET", route)[0] == 200
    closed.close()
    opened.close()


@pytest.mark.parametrize("route", ROUTES)
def test_head_has_the_type_and_no_body(skymock, api, publish, route):
    publish("/pk/device/user/both")
    connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"], timeout=30)
    for method in ("HEAD", "GET"):
        connection.request(method, route)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and (body == b"") == (method == "HEAD")
        assert answer.getheader("Content-Type").split(";")[0] in (
            "application/xml", "application/json", "text/html")
    connection.close()


@pytest.mark.parametrize("route", ROUTES)
def test_who_reads_slowly_gets_it_whole_and_who_leaves_harms_nobody(skymock, api, publish, route):
    for number in range(300):
        publish(f"/elsewhere/{number}", "payload " * 200)
    asked = f"GET {route} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    gone = socket.create_connection(("127.0.0.1", skymock.ports["admin"]))
    gone.sendall(asked)
    gone.close()
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", skymock.ports["admin"]))
    slow.settimeout(30)
    slow.sendall(asked)
    body = b""
    while more := slow.recv(2048):
        api.barrier()
        body += more
    slow.close()
    assert body.decode().endswith(ENDS[route])


# ---- JUnit ----

def test_a_failure_tells_what_was_found_and_why(api, values_only):
    suite = suites(api)[DEVICE]
    failure = case(suite, "ALI-SIGN-VALUES-ONLY").find("failure")
    assert failure.get("message").startswith("The signed text has every field's name in front of "
                                             "its value: The device signed the values alone")
    for told in ("mistake: values-only", f"due to be signed: {DUE}", "hint: Write each name",
                 f"signed by the device: {VALUES_ONLY}", "source: ",
                 f"events (1): {values_only['seq']}\n"):
        assert told in failure.text, failure.text
    assert {each.get("name"): each.get("value") for each in suite.find("properties")}.items() >= {
        ("version", api.get("/version")["version"]), ("seed", "random"), ("profile", "seed")}


def test_seed_and_profile_stand_in_every_form(start):
    api = start("--seed", "77", "--profile", "current").api
    run = api.get("/api/v1/report.json", device=DEVICE)["run"]
    assert (run["seed"], run["profile"]) == (77, "current")
    named = {each.get("name"): each.get("value")
             for each in suites(api, device=DEVICE)[DEVICE].find("properties")}
    assert (named["seed"], named["profile"]) == ("77", "current")
    assert "77" in api.get("/api/v1/report.html", device=DEVICE)


def lines_of(skymock, *options):
    return server.run("events", "--url", f"http://127.0.0.1:{skymock.ports['admin']}",
                      *options).stdout.splitlines()


def test_events_are_told_as_skymock_events_prints_them(skymock, api, publish):
    for number in range(12):
        publish(f"/elsewhere/{number}", "x" * 10 ** (number % 4) + "\x1b[2J\t<&>\n\xff"[:number])
    suite = suites(api, device=DEVICE)[DEVICE]
    printed = lines_of(skymock, "--device", DEVICE)
    assert suite.find("system-out").text.strip("\n").splitlines()[:-1] == printed
    last = case(suite, "ALI-TOPIC-PUB").find("failure").text.split("last events:\n")[1]
    assert last.splitlines() == printed[-10:]


def test_a_timeline_is_not_cut(api, publish):
    first = publish("/elsewhere/first")
    for number in range(300):
        publish("/pk/device/user/both", f"number {number}")
    lines = suites(api, device=DEVICE)[DEVICE].find("system-out").text.splitlines()
    assert sum("payload=number" in line for line in lines) == 300
    assert any(line.strip().startswith(f"{first} ") for line in lines)
    page = api.get("/api/v1/report.html", device=DEVICE)
    assert "the last 100 of" in page and "number 299" in page and "number 3\n" not in page


def test_a_run_begins_with_the_server(start, tmp_path):
    store = str(tmp_path / "store")
    for number in range(2):
        running = start("--store", store)
        one = server.Peer(running.ports["mqtt"])
        one.send_packet(type="connect", keepalive=60, **login(DEVICE))
        assert one.receive()["code"] == 0
        one.send_packet(type="publish", topic="/elsewhere", payload=f"number {number}")
        running.api.wait_event({"type": "publish", "payload": f"number {number}"})
        told = suites(running.api, run="true")[DEVICE].find("system-out").text
        assert re.findall("payload=number .", told) == [f"payload=number {number}"]
        one.close()
        running.stop()


def test_what_led_to_a_refusal_stands_under_who_was_refused(api, values_only):
    api.wait_event({"type": "close"}, since=values_only["seq"])
    lines = suites(api)[DEVICE].find("system-out").text
    assert re.search(r"connect .*\n.* connack .*code=4\n.* close ", lines), lines


HOSTILE = ("]]>", "</failure><x a='1'>", "&amp;&#0;&lt;", "\x00\x01\x1b[31m\x7f\x9f", "\ufffe\uffff",
           "\ud7ff\ue000\U0010ffff", "<!--", "<?xml?>", "<script>alert(1)</script>", "\"'><img src=x>",
           "\t\r\n end ")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_peer_sends_is_text(api, peer, publish, text):
    publish("/elsewhere", text)
    publish("/else/" + text.replace("\x00", "").replace("+", "").replace("#", ""), text)
    stranger = peer()
    stranger.send_packet(type="connect", keepalive=60, clientId=text.replace("\x00", ""),
                         username=text.replace("\x00", ""))
    api.wait_event({"type": "connect", "device": None})
    named = suites(api)
    assert len(named) == 2
    page = Page(api.get("/api/v1/report.html"))
    assert not page.tags & {"script", "img", "x", "link", "iframe", "object"}
    assert all(link.startswith("#") for link in page.links)
    assert not {name for name in page.attributes if name.startswith("on")}
    json.dumps(api.get("/api/v1/report.json"))


def test_a_name_that_markup_would_break_is_told_in_all_forms(api, peer):
    name = "a\"b<c>'d]]>"
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": name})
    signed = api.get(f"/api/v1/devices/aliyun/pk/{quote(name)}/credentials")
    one = peer()
    one.send_packet(type="connect", keepalive=60,
                    **{key: signed[key] for key in ("clientId", "username", "password")})
    assert one.receive()["code"] == 0
    whole = f"aliyun/pk/{name}"
    assert whole in suites(api)
    assert whole in Page(api.get("/api/v1/report.html")).text
    assert whole in [each["device"] for each in api.get("/api/v1/report.json")["devices"]]


def test_how_a_device_behaves_stands_in_every_form(api, publish):
    publish("/pk/device/user/both", "12345")
    publish("/pk/device/user/both", "12")
    device, = api.get("/api/v1/report.json")["devices"]
    named = {each.get("name"): each.get("value") for each in suites(api)[DEVICE].find("properties")}
    page = Page(api.get("/api/v1/report.html")).text
    profile = device["profile"]
    topic, = profile["topics"]
    assert (topic["topic"], topic["up"]) == ("/pk/device/user/both", {"messages": 2, "bytes": 7})
    assert named["profile.topics.0.topic"] == topic["topic"]
    assert named["profile.topics.0.up.bytes"] == "7"
    assert named["profile.keepAlive.asked"] == "60" == str(profile["keepAlive"]["asked"])
    assert "keepalive 60 s" in page and "2 up (7 bytes)" in page and topic["topic"] in page


# ---- the page ----

def test_the_page_stands_alone(api, publish):
    publish("/elsewhere")
    text = api.get("/api/v1/report.html")
    page = Page(text)
    assert "default-src 'none'" in text and "script" not in page.tags
    assert all(link.startswith("#") for link in page.links)
    assert "http" not in re.sub(r"http-equiv|http-answer|https?-auth", "", "".join(page.links))
    assert "prefers-color-scheme:dark" in text and "@media print" in text
    for told in ("ALI-TOPIC-PUB", "published to /elsewhere", "Timeline", "not exercised"):
        assert told in page.text


def test_the_page_has_sent_beside_due(api, values_only):
    text = api.get("/api/v1/report.html")
    due, sent = re.search(r'<pre class="b" tabindex="0">due   (.*)\nsent  (.*)\n</pre>', text).groups()
    plain = [re.sub(r"</?mark>", "", each) for each in (due, sent)]
    assert plain[0] == DUE and plain[1].replace(" ", "") == VALUES_ONLY
    assert len(plain[0]) == len(plain[1])
    assert all(a == b for a, b in zip(*plain) if b != " ")
    assert f"{values_only['seq']}" in text and "values-only" in text


def test_the_table_has_what_was_broken_first(api, publish):
    publish("/elsewhere")
    publish("/pk/second/user/update", device="aliyun/pk/second")
    head = re.search(r"<thead>(.*)</thead>", api.get("/api/v1/report.html"))[1]
    ids = re.findall(r"<span>([A-Z0-9.-]+)</span>", head)
    assert ids[0] == "ALI-TOPIC-PUB" and len(ids) == len(set(ids))
    assert "ALI-HTTPS-SIGN" not in ids


# ---- runs of suites ----

def suite_case(name, *steps, **more):
    return {"id": name, "title": f"Title of {name}", "source": "MQTT 3.1.1 section 3", **more,
            "steps": list(steps)}


SUITE = {"suite": "mine", "title": "My <suite>", "cases": [
    suite_case("hears", {"do": "message", "topic": "/pk/device/user/both", "payload": "x", "qos": 0},
         {"do": "wait", "wait": 1}, {"expect": {"event": {"type": "publish"}}}, timeoutMs=2000),
    suite_case("speaks", {"expect": {"event": {"type": "publish", "direction": "up"}}}, timeoutMs=200)]}


@pytest.fixture
def ran(api, online):
    """The id of a run, over by now: one case failed, or was not exercised."""
    device = online(DEVICE)
    device.send_packet(type="subscribe", id=1, filters=[["/pk/device/user/both", 1]])
    assert device.receive()["type"] == "suback"
    run = api.post("/api/v1/suites/runs", {"suite": SUITE, "device": DEVICE})["id"]
    for _ in range(100):
        document = api.get(f"/api/v1/suites/runs/{run}")
        if document["state"] != "running":
            break
        time.sleep(0.1)
    assert document["state"] == "ended"
    yield run
    api.request("DELETE", f"/api/v1/suites/runs/{run}")


def test_reports_tell_of_runs_of_suites(api, ran):
    document = api.get(f"/api/v1/suites/runs/{ran}")
    assert api.get("/api/v1/report.json")["suites"] == [document]
    page = api.request("GET", "/api/v1/report.html")[1]
    assert "Device suites: mine" in page and "Title of speaks" in page
    assert page.index("Device suites") < page.index("devices and rules")
    for each in document["cases"]:
        assert f'<span class="m">mine/{each["case"]}</span>' in page
    assert "suite" not in {each.get("name") for each in
                           ElementTree.fromstring(api.request("GET", "/api/v1/report.xml")[1])}


def test_a_report_of_one_device_tells_of_its_runs_only(api, ran):
    for scope, count in (({"device": DEVICE}, 1), ({"product": "aliyun/pk"}, 1),
                         ({"device": "aliyun/pk/second"}, 0)):
        assert len(api.get("/api/v1/report.json", **scope)["suites"]) == count
        page = api.request("GET", "/api/v1/report.html", **scope)[1]
        assert ("Device suites" in page) == (count == 1)
