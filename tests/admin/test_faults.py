"""What a test breaks on purpose: made, shown, counted, ended; and whom it leaves alone."""

import credentials
import matrix
import pytest

PATH = "/api/v1/faults"
DEVICE, SECOND = "aliyun/pk/device", "aliyun/pk/second"
UPDATE = "/pk/device/user/update"
FAULTS_MAX = 2000


@pytest.fixture
def make(api):
    def make_one(point="puback-down", action="withhold", **more):
        return api.post(PATH, {"point": point, "action": action, **more})["id"]
    return make_one


@pytest.fixture
def acknowledged(api):
    """acknowledged(peer, 7, 8) publishes under these ids, and gives those of the PUBACKs."""
    def publish(device, *ids, topic=UPDATE, **more):
        for number in ids:
            device.send_packet(type="publish", qos=1, id=number, topic=topic, payload="x", **more)
        device.send_packet(type="pingreq")
        came = []
        while (packet := device.receive())["type"] != "pingresp":
            came.append(packet["id"])
        return came
    return publish


def shown(api, number):
    return next(each for each in api.get(PATH)["faults"] if each["id"] == number)


# ---- form ----

def test_it_is_shown_as_it_was_made(api, make):
    given = {"name": "two", "device": DEVICE, "match": {"topic": UPDATE}, "skip": 1, "count": 2,
             "probability": 0.5, "seed": 7, "forMs": 1000}
    number = make(**given)
    assert shown(api, number) == {"point": "puback-down", "action": "withhold", **given,
                                  "id": number, "fired": 0, "spent": False}
    assert isinstance(shown(api, make())["seed"], int)


@pytest.mark.parametrize("body,pointer,says", [
    ({"point": "puback"}, "/point", "there is no point 'puback'; they are: accept, handshake,"),
    ({"point": "close"}, "/point", "there is no point 'close'"),
    ({"point": "coap-request"}, "/point", "there is no point"),
    ({"action": "drop"}, "/action", "there is no action 'drop'; they are: withhold, delay,"),
    ({"action": "set"}, "/action", "set changes nothing; what can be set at puback-down: packetId"),
    ({"action": "set", "code": 3}, "/code", "puback-down has no 'code'"),
    ({"code": 3}, "/code", "'code' belongs to the action set, not to withhold"),
    ({"action": "delay"}, "/ms", "delay needs 'ms'"),
    ({"action": "reorder"}, "/ms", "reorder needs 'ms'"),
    ({"action": "cut"}, "/at", "cut needs 'at'"),
    ({"action": "drip"}, "/bytesPerS", "drip needs 'bytesPerS'"),
    ({"ms": 5}, "/ms", "'ms' belongs to delay, reorder; withhold does not take it"),
    ({"times": 5}, "/times", "'times' belongs to duplicate"),
    ({"bytes": 5}, "/bytes", "'bytes' belongs to corrupt"),
    ({"at": 5}, "/at", "'at' belongs to corrupt, cut"),
    ({"kind": "expired"}, "/kind", "'kind' belongs to certificate"),
    ({"action": "certificate", "kind": "expired"}, "/action", "certificate cannot be done at"),
    ({"point": "handshake", "action": "certificate"}, "/kind", "certificate needs 'kind'"),
    ({"point": "handshake", "action": "certificate", "kind": "bad"}, "/kind",
     "there is no such kind of certificate; the kinds are expired, not-yet-valid, wrong-name,"),
    ({"point": "connect", "action": "set", "code": 1}, "/action", "is its own"),
    ({"colour": "red"}, "/colour", "colour"),
    ({"device": "pk/device"}, "/device", ""),
    ({"product": "pk"}, "/product", ""),
    ({"device": DEVICE, "product": "aliyun/pk"}, "/product", "not both"),
    ({"match": {"colour": "red"}}, "/match/colour", ""),
    ({"match": {"topic": {"matches": "("}}}, "/match/topic/matches", ""),
    ({"match": {"rule": "ALI-QOS2"}}, "/match/rule", "not known"),
    ({"match": {"anyOf": [{"service": "property/post"}]}}, "/match/anyOf/0/service", "not known"),
    ({"count": 0}, "/count", ""),
    ({"skip": -1}, "/skip", ""),
    ({"probability": 1.5}, "/probability", "0 to 1"),
    ({"probability": "1"}, "/probability", "0 to 1"),
    ({"forMs": 0}, "/forMs", ""),
    ({"action": "delay", "ms": 0}, "/ms", ""),
    ({"action": "delay", "ms": 86400001}, "/ms", ""),
    ({"action": "duplicate", "times": 101}, "/times", ""),
    ({"name": "x" * 101}, "/name", ""),
    ({"point": "publish-down", "action": "set", "topic": "/a/#"}, "/topic", "no topic name"),
    ({"point": "coap-answer", "action": "set", "status": 250}, "/status", "CoAP"),
])
def test_what_makes_no_sense_is_refused_with_the_reason(refused, body, pointer, says):
    error = refused(400, "POST", PATH, {"point": "puback-down", "action": "withhold", **body})
    assert error["pointer"] == pointer
    assert says in error["message"]


@pytest.mark.parametrize("body", [
    {"action": "delay", "ms": 86400000}, {"action": "duplicate", "times": 100},
    {"name": "x" * 100}, {"probability": 0}, {"probability": 1}, {"skip": 0}, {"count": 1},
    {"device": "aliyun/pk/not-there-yet"}, {"product": "enos/nobody"},
    {"product": "aliyun/pk", "match": {"qos": 1}}, {"device": DEVICE, "match": {"qos": 1}},
    {"point": "publish-down", "action": "set", "topic": "x" * 1024},
    {"point": "publish-down", "action": "set", "payload": "x" * 262144}])
def test_what_makes_sense_is_taken(make, body):
    assert make(**body)


def test_the_longest_payload_and_topic_are_limits(refused):
    for field, size in (("payload", 262145), ("topic", 1025)):
        assert refused(400, "POST", PATH, {"point": "publish-down", "action": "set",
                                           field: "x" * size})["pointer"] == f"/{field}"


def test_every_refused_pair_says_why_in_words(api):
    found = matrix.ask(api)
    assert len(found) == len(matrix.POINTS) * len(matrix.ACTIONS)
    for (point, action), why in found.items():
        assert why is None or len(why) > 10, (point, action)
    assert found["connack", "set"] is None and found["handshake", "certificate"] is None
    print(matrix.table(found))


def test_so_many_and_no_more(api, make, refused):
    for _ in range(FAULTS_MAX):
        make(product="enos/nobody")
    assert refused(409, "POST", PATH, {"point": "connack", "action": "close"})["code"] == "limit"
    api.call("DELETE", PATH)
    assert make()


# ---- counting ----

def test_each_firing_is_an_event_that_names_fault_and_packet(api, make, online, acknowledged):
    device = online(DEVICE)
    number = make(name="lost ack", count=1)
    assert acknowledged(device, 7, 8) == [8]
    event, = api.events(type="fault")
    assert (event["name"], event["point"], event["action"]) == \
        ("lost ack", "puback-down", "withhold")
    assert event["reason"] == "withhold at puback-down: PUBACK 7"
    assert event["device"] == DEVICE and event["direction"] == "inside"
    assert [each["packetId"] for each in api.events(type="puback")] == [8]
    assert (shown(api, number)["fired"], shown(api, number)["spent"]) == (1, True)


def test_without_a_name_it_is_called_by_its_number(api, make, online, acknowledged):
    number = make()
    acknowledged(online(DEVICE), 7)
    assert api.events(type="fault")[0]["name"] == str(number)


def test_skip_lets_the_first_through_and_count_ends_it(make, online, acknowledged):
    make(skip=2, count=2)
    assert acknowledged(online(DEVICE), 1, 2, 3, 4, 5, 6) == [1, 2, 5, 6]


def test_the_first_made_decides_and_the_others_do_not_see_it(api, make, online, acknowledged):
    first, second = make(count=1), make(count=1, action="set", packetId=99)
    assert acknowledged(online(DEVICE), 1, 2, 3) == [99, 3]
    assert shown(api, first)["fired"] == shown(api, second)["fired"] == 1


def test_one_seed_hits_the_same_packets_twice(api, make, online, acknowledged):
    hits = []
    for seed in (7, 7, 8):
        api.reset()
        make(probability=0.5, seed=seed)
        hits.append(acknowledged(online(DEVICE), *range(1, 65)))
    assert hits[0] == hits[1] != hits[2]
    assert 16 < len(hits[0]) < 48


def test_a_seed_that_was_drawn_can_be_given_again(api, make, online, acknowledged):
    seed = shown(api, make(probability=0.5))["seed"]
    first = acknowledged(online(DEVICE), *range(1, 65))
    api.reset()
    make(probability=0.5, seed=seed)
    assert acknowledged(online(DEVICE), *range(1, 65)) == first


def test_never_and_always(api, make, online, acknowledged):
    never = make(probability=0)
    always = make(probability=1)
    assert acknowledged(online(DEVICE), 1, 2, 3) == []
    assert [shown(api, each)["fired"] for each in (never, always)] == [0, 3]


def test_advancing_the_clock_ends_it(api, make, online, acknowledged):
    api.freeze()
    device = online(DEVICE)
    number = make(forMs=5000)
    api.advance(4999)
    assert acknowledged(device, 1) == []
    api.advance(1)
    assert acknowledged(device, 2) == [2]
    assert shown(api, number)["spent"]


# ---- whom ----

@pytest.mark.parametrize("scope,hits", [
    ({"device": DEVICE}, [DEVICE]), ({"product": "aliyun/pk"}, [DEVICE, SECOND]),
    ({"match": {"device": SECOND}}, [SECOND]), ({"match": {"listener": "mqtt"}}, [DEVICE, SECOND]),
    ({"product": "aliyun/pk", "match": {"device": SECOND}}, [SECOND]),
    ({"device": DEVICE, "match": {"packetId": 9}}, []),
    ({"device": DEVICE, "match": {"packetId": 1}}, [DEVICE]),
    ({"product": "tencent/PROD123456"}, []), ({"device": "aliyun/pk/nobody"}, []),
    ({"match": {"type": "puback", "direction": "down"}}, [DEVICE, SECOND]),
    ({"match": {"type": "publish"}}, []), ({}, [DEVICE, SECOND])])
def test_it_hits_whom_it_names(make, online, acknowledged, scope, hits):
    make(**scope)
    for name in (DEVICE, SECOND):
        topic = f"/{name.split('/', 1)[1]}/user/update"
        assert acknowledged(online(name), 1, topic=topic) == ([] if name in hits else [1]), name


def test_a_device_is_known_at_connect_by_what_it_claims(api, make, peer, online):
    make("connect", "close", device=DEVICE)
    make("connack", "set", code=3, product="tencent/PROD123456")
    online(SECOND)
    with pytest.raises(TypeError):
        online(DEVICE)
    with pytest.raises(AssertionError):
        online("tencent/PROD123456/dev001")
    assert [event["device"] for event in api.events(type="fault")] == \
        [DEVICE, "tencent/PROD123456/dev001"]


@pytest.mark.parametrize("match,hit", [
    ({"topic": "/pk/+/user/#"}, True), ({"topic": "/other"}, False),
    ({"payload": {"equals": "x"}}, True), ({"payload": {"equals": "y"}}, False),
    ({"qos": 1, "dup": False}, True), ({"dup": True}, False), ({"packetId": [6, 7]}, True),
    ({"not": {"topic": UPDATE}}, False), ({"peer": {"matches": "^127"}}, True),
    ({"peer": {"matches": "^10"}}, False), ({"transport": "tcp"}, True),
    ({"clientId": {"matches": "."}}, True), ({"clientId": "another"}, False),
    ({"clientId": credentials.login(DEVICE)["clientId"]}, True)])
def test_a_pattern_sees_the_packet_as_the_event_it_is_about_to_be(api, make, online, acknowledged,
                                                                  match, hit):
    make("publish-up", "withhold", match=match)
    assert acknowledged(online(DEVICE), 7) == ([] if hit else [7])
    assert len(api.events(type="publish")) == (0 if hit else 1)


def test_a_device_made_later_is_hit_too(api, make, online, acknowledged):
    make(device="aliyun/pk/late")
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "late",
                                 "secret": "secret"})
    fields = api.get("/api/v1/devices/aliyun/pk/late/credentials")
    assert fields
    api.call("DELETE", "/api/v1/devices/aliyun/pk/late")
    assert acknowledged(online(DEVICE), 1) == [1]


# ---- ending ----

def test_one_is_ended(api, make, refused, online, acknowledged):
    number = make()
    api.call("DELETE", f"{PATH}/{number}")
    assert api.get(PATH) == {"faults": []}
    assert acknowledged(online(DEVICE), 1) == [1]
    for name in (number, 0, "x"):
        assert refused(404, "DELETE", f"{PATH}/{name}")["code"] == "not_found"


def test_those_of_a_name_are_ended(api, make, refused):
    for point, name in (("connack", "slow link"), ("suback", "slow link"), ("pingresp", "other")):
        make(point, name=name)
    api.call("DELETE", f"{PATH}/slow%20link")
    assert [each["name"] for each in api.get(PATH)["faults"]] == ["other"]
    assert refused(404, "DELETE", f"{PATH}/slow%20link")["code"] == "not_found"


@pytest.fixture
def four(make):
    """One of each scope, in the order of their making."""
    return [make(), make(product="aliyun/pk"), make(device=DEVICE), make(product="enos/KV315idW")]


@pytest.mark.parametrize("query,gone", [
    ({}, {0, 1, 2, 3}), ({"product": "aliyun/pk"}, {1, 2}), ({"device": DEVICE}, {2}),
    ({"product": "enos/KV315idW"}, {3})])
def test_shown_and_ended_by_scope(api, four, query, gone):
    assert [each["id"] for each in api.get(PATH, **query)["faults"]] == \
        [four[i] for i in sorted(gone)]
    api.call("DELETE", PATH, **query)
    assert [each["id"] for each in api.get(PATH)["faults"]] == \
        [number for i, number in enumerate(four) if i not in gone]


@pytest.mark.parametrize("body,gone", [
    ({}, {0, 1, 2, 3}), ({"product": "aliyun/pk"}, {1, 2}), ({"device": DEVICE}, {2})])
def test_reset_removes_what_it_covers(api, four, body, gone):
    api.post("/api/v1/reset", body)
    assert [each["id"] for each in api.get(PATH)["faults"]] == \
        [number for i, number in enumerate(four) if i not in gone]


# ---- what there is ----

def test_the_table_of_points_is_what_is_taken(api):
    told = api.get(PATH + "/points")["points"]
    assert [each["point"] for each in told] == matrix.POINTS
    asked = matrix.ask(api)
    for each in told:
        assert each["actions"] == [action for action in matrix.ACTIONS
                                   if asked[each["point"], action] is None]
        assert each["refusals"] == {action: asked[each["point"], action]
                                    for action in matrix.ACTIONS
                                    if asked[each["point"], action] is not None}
    by_point = {each["point"]: each["direction"] for each in told}
    assert {point: way for point, way in by_point.items() if way != "up"} == {
        point: "down" for point in ("connack", "puback-down", "publish-down", "suback", "unsuback",
                                    "pingresp", "reply", "http-answer", "coap-answer",
                                    "datagram-down")}


VALUES = {"code": 1, "packetId": 1, "sessionPresent": True, "status": 404, "payload": "x",
          "topic": "/a", "qos": 1, "merge": {"a": 1}}


def test_the_fields_of_a_point_are_what_can_be_set_there(api):
    for each in api.get(PATH + "/points")["points"]:
        if "set" not in each["actions"]:
            assert each["fields"] == []
            continue
        for field, value in VALUES.items():
            status, answer = api.request("POST", PATH, {"point": each["point"], "action": "set",
                                                        field: value})
            assert status == (201 if field in each["fields"] else 400), answer
    assert api.request("DELETE", PATH)[0] == 204


def test_the_arguments_are_what_is_taken_and_described(api):
    told = api.get(PATH + "/points")
    body = api.get("/openapi.json")["paths"][PATH]["post"]["requestBody"]["content"][
        "application/json"]["schema"]["properties"]
    assert {each["name"] for each in told["arguments"]} == set(body) - {"point", "action"}
    for each in told["arguments"]:
        described = body[each["name"]]
        assert each["about"] == described["description"] and each["about"]
        if each["kind"] in ("integer", "boolean", "object"):
            assert described["type"] == each["kind"]
        if each["kind"] == "integer":
            assert each["max"] == described["maximum"]
        if each["kind"] == "text" and "maxLength" in described:
            assert each["max"] <= described["maxLength"]
        assert ("min" in each) == ("max" in each) == (each["kind"] not in ("boolean", "object"))
    required = {action: [each["name"] for each in told["arguments"]
                         if each["required"] and action in each["actions"]]
                for action in matrix.ACTIONS}
    assert required == {action: list(matrix.ARGUMENTS.get(action, {})) for action in matrix.ACTIONS}
    assert set(VALUES) == {each["name"] for each in told["arguments"]
                           if each["actions"] == ["set"]}


def test_arguments_are_taken_up_to_their_bounds_by_their_actions_only(api):
    told = api.get(PATH + "/points")
    whole = [each for each in told["arguments"] if each["kind"] == "integer"]
    for action in matrix.ACTIONS:
        if action == "set":
            base = {"point": "publish-down", "qos": 1}
        else:
            point = next(each for each in told["points"] if action in each["actions"])
            base = {"point": point["point"], **matrix.ARGUMENTS.get(action, {})}
        own = {each["name"]: each for each in whole if action in each["actions"]}
        for name in {each["name"] for each in whole} - set(VALUES):
            bounds = own.get(name, whole[0])
            for value, within in ((bounds["min"], True), (bounds["max"], True),
                                  (bounds["min"] - 1, False), (bounds["max"] + 1, False)):
                status, answer = api.request("POST", PATH, {**base, "action": action, name: value})
                assert status == (201 if within and name in own else 400), (name, value, answer)
    assert api.request("DELETE", PATH)[0] == 204


def test_every_kind_of_certificate_is_taken(api, refused):
    kinds = api.get(PATH + "/points")["certificates"]
    assert kinds == ["expired", "not-yet-valid", "wrong-name", "unknown-ca", "self-signed", "large",
                     "weak-key"]
    for kind in kinds:
        assert api.post(PATH, {"point": "handshake", "action": "certificate", "kind": kind})["id"]
    refused(400, "POST", PATH, {"point": "handshake", "action": "certificate", "kind": ""})
    assert api.request("DELETE", PATH)[0] == 204


def test_a_fault_named_as_the_table_of_points_is_ended_by_its_number(api, make, refused):
    number = make(name="points")
    refused(405, "DELETE", PATH + "/points")
    assert api.get(PATH + "/points")["points"]
    assert api.request("DELETE", f"{PATH}/{number}")[0] == 204
    assert api.get(PATH)["faults"] == []
