"""Going back: what a snapshot holds, what a restore changes, and what it leaves alone."""

import threading

import credentials
import pytest
import server

SNAPSHOTS = "/api/v1/snapshots"
NAME = "aliyun/pk/device"
DEVICE = f"/api/v1/devices/{NAME}"
TOPIC = "/pk/device/user/get"
PRODUCT = "/api/v1/products/aliyun/pk"


@pytest.fixture
def take(api):
    """take(name, product) makes a snapshot and deletes it when the test is over."""
    taken = []

    def one(name="s", product=None):
        body = {"name": name, **({"product": product} if product else {})}
        taken.append((name, {"product": product} if product else {}))
        return api.post(SNAPSHOTS, body)

    yield one
    for name, query in taken:
        api.request("DELETE", f"{SNAPSHOTS}/{name}", **query)


@pytest.fixture
def restore(api):
    def one(name="s", **query):
        status, answer = api.request("POST", f"{SNAPSHOTS}/{name}/restore", **query)
        assert status == 204, answer

    return one


def is_there(device):
    """The peer's connection still answers."""
    device.send_packet(type="pingreq")
    answer = device.receive()
    return answer is not None and answer["type"] == "pingresp"


def subscribe(device, *filters):
    device.send_packet(type="subscribe", id=9, filters=[[each, 1] for each in filters])
    assert device.receive()["type"] == "suback"


def send(api, text, name=NAME, topic=TOPIC):
    return api.post(f"/api/v1/devices/{name}/messages",
                    {"topic": topic, "payload": text, "qos": 1})


# ---- names ----

def test_list_read_and_delete(api, take):
    made = take("first", "aliyun/pk")
    assert made["product"] == "aliyun/pk" and made["devices"] > 0 and made["bytes"] > 0
    whole = take("second")
    assert "product" not in whole and whole["devices"] > made["devices"]
    assert api.get(f"{SNAPSHOTS}/first") == made
    names = [each["name"] for each in api.get(SNAPSHOTS)["snapshots"]]
    assert names[-2:] == ["first", "second"]
    assert api.get(SNAPSHOTS, product="aliyun/pk")["snapshots"] == [made]
    assert api.request("DELETE", f"{SNAPSHOTS}/first")[0] == 204
    assert api.request("GET", f"{SNAPSHOTS}/first")[0] == 404


@pytest.mark.parametrize("name,good", [
    ("a", True), ("a" * 64, True), ("a" * 65, False), ("", False), ("A.b-c_9", True),
    (".a", False), ("-a", False), ("a/b", False), ("a b", False), ("ä", False)])
def test_names(api, refused, take, name, good):
    if good:
        take(name)
        assert api.get(f"{SNAPSHOTS}/{name}")["name"] == name
    else:
        assert refused(400, "POST", SNAPSHOTS, {"name": name})["pointer"] == "/name"


def test_a_name_is_one_of_its_product(api, refused, take, restore):
    take("s", "aliyun/pk")
    assert refused(409, "POST", SNAPSHOTS,
                   {"name": "s", "product": "aliyun/pk"})["code"] == "exists"
    take("s", "tencent/PROD123456")
    refused(409, "POST", f"{SNAPSHOTS}/s/restore")
    refused(409, "GET", f"{SNAPSHOTS}/s")
    refused(404, "POST", f"{SNAPSHOTS}/s/restore", product="enos/KV315idW")
    restore(product="aliyun/pk")
    assert api.request("POST", f"{SNAPSHOTS}/s/restore", {"product": "aliyun/pk"})[0] == 204
    take("s")
    assert "product" not in api.get(f"{SNAPSHOTS}/s")
    assert api.request("DELETE", f"{SNAPSHOTS}/s", product="tencent/PROD123456")[0] == 204


def test_what_cannot_be(refused):
    assert refused(404, "POST", SNAPSHOTS,
                   {"name": "s", "product": "aliyun/none"})["pointer"] == "/product"
    assert refused(400, "POST", SNAPSHOTS, {"name": "s", "product": "pk"})["pointer"] == "/product"
    refused(400, "POST", SNAPSHOTS, {})
    refused(400, "POST", SNAPSHOTS, {"name": 7})
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/restore")):
        refused(404, method, f"{SNAPSHOTS}/nothing{path}")
    refused(400, "POST", f"{SNAPSHOTS}/nothing/restore", {"colour": "red"})


# ---- what goes back ----

def test_registry_and_documents_go_back(api, take, restore):
    api.call("PUT", PRODUCT + "/config", {"a": 1})
    api.call("PATCH", DEVICE, {"assetId": "then"})
    take()
    before = api.get(DEVICE, secrets="true"), api.get(PRODUCT)
    api.call("PATCH", DEVICE, {"secret": "other", "enabled": False, "assetId": "now"})
    api.call("PUT", PRODUCT + "/config", {"a": 2})
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "extra"})
    api.call("DELETE", "/api/v1/devices/aliyun/pk/second")
    api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "later", "devices": [{"deviceName": "d"}]}]})
    restore()
    assert (api.get(DEVICE, secrets="true"), api.get(PRODUCT)) == before
    assert api.request("GET", "/api/v1/devices/aliyun/pk/extra")[0] == 404
    assert api.request("GET", "/api/v1/devices/aliyun/later/d")[0] == 404
    assert api.request("GET", "/api/v1/products/aliyun/later")[0] == 404
    assert api.get("/api/v1/devices/aliyun/pk/second")["enabled"]


def test_a_deleted_device_logs_in_again(api, online, take, restore):
    take("s", "aliyun/pk")
    api.call("DELETE", DEVICE)
    restore()
    assert is_there(online(NAME))


def test_a_shadow_goes_back(api, take, restore):
    shadow = "/api/v1/devices/tencent/PROD123456/dev001/shadow"
    api.call("PATCH", shadow, {"desired": {"light": 1}})
    before = api.get(shadow)
    take("s", "tencent/PROD123456")
    api.call("PATCH", shadow, {"desired": {"light": 2}})
    restore()
    assert api.get(shadow) == before


def test_reset_still_knows_what_the_fixtures_said(api, take, restore):
    api.call("PATCH", DEVICE, {"secret": "other"})
    take()
    restore()
    assert api.get(DEVICE, secrets="true")["secret"] == "other"
    api.reset()
    assert api.get(DEVICE, secrets="true")["secret"] == "secret"


def test_a_restore_is_an_event_and_begins_no_chapter(api, online, take, restore):
    online(NAME)
    first = api.events(type="connect")[-1]["seq"]
    take()
    restore()
    assert api.events(type="connect")[-1]["seq"] == first
    assert [each["name"] for each in api.events(type="registry")][-2:] == ["snapshot", "restore"]
    assert api.verdict(NAME)["verdict"] == "passed"


# ---- connections ----

def test_what_is_unchanged_stays_connected(api, online, take, restore):
    same, changed = online(NAME), online("aliyun/pk/second")
    other = online("tencent/PROD123456/dev001")
    subscribe(same, TOPIC)
    take()
    send(api, "done")
    packet = same.receive()
    same.send_packet(type="puback", id=packet["id"])
    assert is_there(same)
    api.call("PATCH", "/api/v1/devices/aliyun/pk/second", {"assetId": "now"})
    restore()
    assert changed.receive() is None
    assert is_there(same) and is_there(other)
    close = api.events(type="close", device="aliyun/pk/second")[-1]
    assert close["reason"] == "a snapshot was restored"
    send(api, "more")  # and packet ids go on
    assert same.receive()["id"] == packet["id"] + 1


def test_a_changed_session_is_closed(api, online, take, restore):
    online("aliyun/pk/second").close()  # both are active, and away
    online(NAME).close()
    api.wait_event({"type": "close", "device": NAME})
    take()
    newcomer = online(NAME)
    restore()
    assert newcomer.receive() is None


@pytest.mark.parametrize("how", ["subscription", "message"])
def test_a_session_that_came_to_hold_more_is_closed(api, online, take, restore, how):
    device = online(NAME, clean=False)
    subscribe(device, TOPIC)
    take()
    if how == "subscription":
        subscribe(device, "/pk/device/user/both")
    else:
        send(api, "unacknowledged")
        assert device.receive()["type"] == "publish"
    restore()
    assert device.receive() is None
    assert api.get(DEVICE)["subscriptions"] == 1
    assert is_there(online(NAME, clean=False))  # and nothing was waiting


def test_other_products_are_not_touched(api, online, take, restore):
    other = online("tencent/PROD123456/dev001")
    take("s", "aliyun/pk")
    api.call("PATCH", "/api/v1/devices/tencent/PROD123456/dev001", {"assetId": "now"})
    api.call("PATCH", DEVICE, {"assetId": "now"})
    fresh = api.post("/api/v1/devices", {"cloud": "tencent", "product": "PROD123456"})
    api.freeze()
    api.advance(5000)
    before = api.get("/api/v1/clock")["unixMs"]
    restore()
    assert api.get("/api/v1/clock")["unixMs"] == before
    assert is_there(other)
    assert api.get(f"/api/v1/devices/{fresh['name']}")["enabled"]
    assert api.get("/api/v1/devices/tencent/PROD123456/dev001")["assetId"] == "now"
    assert api.get(DEVICE)["assetId"] is None


# ---- faults ----

FAULTS = "/api/v1/faults"


@pytest.mark.parametrize("product", [None, "aliyun/pk"])
def test_faults_go_back(api, online, take, restore, product):
    kept = api.post(FAULTS, {"point": "puback-down", "action": "withhold", "count": 2,
                             "product": "aliyun/pk"})["id"]
    take("s", product)
    device = online(NAME)
    device.send_packet(type="publish", qos=1, id=1, topic="/pk/device/user/update", payload="{}")
    assert is_there(device)
    api.post(FAULTS, {"point": "connack", "action": "withhold", "product": "aliyun/pk"})
    other = api.post(FAULTS, {"point": "connack", "action": "withhold",
                              "product": "tencent/PROD123456"})["id"]
    before = {each["id"]: each["fired"] for each in api.get(FAULTS)["faults"]}
    assert before[kept] == 1
    restore()
    after = {each["id"]: each["fired"] for each in api.get(FAULTS)["faults"]}
    assert after == ({kept: 0, other: 0} if product else {kept: 0})


def test_faults_come_back_after_a_reset_and_a_restart(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    first.api.post(FAULTS, {"name": "mine", "point": "connack", "action": "set", "code": 5,
                            "product": "aliyun/pk"})
    first.api.post(SNAPSHOTS, {"name": "s", "product": "aliyun/pk"})
    first.api.post("/api/v1/reset", {"product": "aliyun/pk"})
    assert first.api.get(FAULTS)["faults"] == []
    first.kill()
    second = start(*store)
    second.api.post(f"{SNAPSHOTS}/s/restore")
    assert [each["name"] for each in second.api.get(FAULTS)["faults"]] == ["mine"]


# ---- sessions and what waits in them ----

@pytest.mark.parametrize("store", [False, True])
def test_queued_and_unacknowledged_messages_come_back(start, tmp_path, store):
    file = tmp_path / "store.db"
    running = start(*(["--store", str(file)] if store else []))
    api = running.api
    device = log_in(running)
    subscribe(device, TOPIC)
    send(api, "in flight")
    assert device.receive()["payload"] == "in flight"
    device.close()
    api.wait_event({"type": "close", "device": NAME})
    send(api, "waits")
    api.post(SNAPSHOTS, {"name": "s"})
    for round_ in range(3):
        if round_ == 2 and store:
            running.kill()
            running = start("--store", str(file))
            api = running.api
        api.post(f"{SNAPSHOTS}/s/restore")
        assert api.get(DEVICE)["subscriptions"] == 1
        device = log_in(running)
        first, second = device.receive(), device.receive()
        assert [first["payload"], second["payload"]] == ["in flight", "waits"]
        assert first["dup"] and not second.get("dup", False)
        for packet in (first, second):
            device.send_packet(type="puback", id=packet["id"])
        assert is_there(device)
        device.close()


def log_in(running, clean=False, name=NAME):
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", clean=clean, keepalive=60, **credentials.login(name))
    assert peer.receive()["code"] == 0
    return peer


def test_a_session_that_was_cleaned_away_comes_back(api, online, take, restore):
    device = online(NAME, clean=False)
    subscribe(device, TOPIC)
    device.close()
    api.wait_event({"type": "close", "device": NAME})
    take("s", "aliyun/pk")
    online(NAME, clean=True).close()
    assert api.get(DEVICE)["subscriptions"] == 0
    restore()
    assert api.get(DEVICE)["subscriptions"] == 1
    send(api, "kept")


def test_a_waiting_command_of_a_changed_device_ends(skymock, api, online, take, restore):
    device = online(NAME)
    subscribe(device, "/sys/pk/device/thing/service/property/set")
    take("s", "aliyun/pk")
    api.call("PATCH", DEVICE, {"assetId": "now"})
    answers = []

    def ask():
        mine = server.Api(skymock.ports["admin"])
        answers.append(mine.request("POST", DEVICE + "/commands", {
            "kind": "property-set", "params": {"a": 1}, "waitMs": 20000})[0])
        mine.close()

    caller = threading.Thread(target=ask)
    caller.start()
    assert device.receive()["type"] == "publish"
    restore()
    caller.join(10)
    assert answers == [504]


# ---- time ----

def test_a_whole_one_sets_the_clock(api, take, restore):
    api.freeze()
    moment = api.get("/api/v1/clock")["unixMs"]
    assert take()["unixMs"] == moment
    api.advance(7 * 24 * 3600 * 1000)
    restore()
    clock = api.get("/api/v1/clock")
    assert clock["unixMs"] == moment and clock["frozen"]
    api.post("/api/v1/clock/resume")
    restore()
    assert api.get("/api/v1/clock")["frozen"]


def test_a_clock_that_ran_runs_on(api, take, restore):
    taken = take()
    api.freeze()
    api.advance(7 * 24 * 3600 * 1000)
    restore()
    clock = api.get("/api/v1/clock")
    assert not clock["frozen"] and 0 <= clock["unixMs"] - taken["unixMs"] < 10000


@pytest.mark.parametrize("by_s", [-30 * 24 * 3600, 20])
def test_time_that_is_set_times_nobody_out(api, online, take, restore, by_s):
    """Neither backwards nor forwards: that time has not passed."""
    device = online(NAME)
    api.freeze()
    start = api.get("/api/v1/clock")["unixMs"]
    take()
    api.post("/api/v1/clock/set", {"unixMs": start + by_s * 1000})
    restore()
    assert api.get("/api/v1/clock")["unixMs"] == start
    assert is_there(device)


def test_what_waits_has_as_much_time_left_as_then(api, online, take, restore):
    device = online(NAME, clean=False)
    subscribe(device, TOPIC)
    device.close()
    api.wait_event({"type": "close", "device": NAME})
    api.freeze()
    send(api, "waits")
    take()
    for _ in range(2):
        api.advance(6 * 24 * 3600 * 1000)  # kept for seven days
        restore()
    api.advance(6 * 24 * 3600 * 1000)
    device = online(NAME, clean=False)
    assert device.receive()["payload"] == "waits"


# ---- a store file ----

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_is_there_after_the_servers_end(start, tmp_path, end):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    first.api.call("PATCH", DEVICE, {"assetId": "then"})
    taken = first.api.post(SNAPSHOTS, {"name": "s", "product": "aliyun/pk"})
    first.api.call("PATCH", DEVICE, {"assetId": "now"})
    getattr(first, end)()
    second = start(*store)
    assert second.api.get(SNAPSHOTS)["snapshots"] == [taken]
    second.api.post(f"{SNAPSHOTS}/s/restore")
    assert second.api.get(DEVICE)["assetId"] == "then"
    getattr(second, end)()
    third = start(*store)
    assert third.api.get(DEVICE)["assetId"] == "then"
    third.api.call("DELETE", f"{SNAPSHOTS}/s")
    third.kill()
    assert start(*store).api.get(SNAPSHOTS)["snapshots"] == []


def test_a_device_made_anew_gives_way_to_the_one_it_was(api, peer, take, restore):
    def log_in():
        device = peer()
        device.send_packet(type="connect", clean=False, keepalive=60, **credentials.login(NAME))
        assert device.receive()["code"] == 0
        device.send_packet(type="subscribe", id=1, filters=[(TOPIC, 1)])
        assert device.receive()["type"] == "suback"

    log_in()
    take()
    for _ in range(2):
        api.call("DELETE", DEVICE)
        api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "device",
                                     "secret": "secret"})
        log_in()
        restore()
    assert api.verdict(NAME)["devices"][0]["registered"]
    api.call("DELETE", DEVICE)
