"""What holds for every route, told by the description that the server gives of itself."""

import datetime
import re

import pytest

PLACEHOLDERS = {"cloud": "aliyun", "product": "pk", "device": "device", "name": "tags"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def operations(api):
    paths = api.get("/openapi.json")["paths"]
    return [(method.upper(), path, operation)
            for path, methods in paths.items() for method, operation in methods.items()]


def concrete(path, **values):
    return re.sub(r"\{(\w+)\}", lambda found: {**PLACEHOLDERS, **values}[found[1]], path)


def schema_of(operation):
    return operation["requestBody"]["content"]["application/json"]["schema"]


def least_body(operation):
    """What must be in the body at least, of the right types."""
    if "requestBody" not in operation:
        return None
    samples = {"string": "text", "integer": 1, "boolean": True, "object": {}, "array": []}
    schema = schema_of(operation)
    return {name: samples[schema["properties"][name]["type"]]
            for name in schema.get("required", [])}


def test_every_route_says_what_it_is(operations):
    assert len(operations) >= 25
    for method, path, operation in operations:
        assert operation["summary"], (method, path)
        assert operation["responses"], (method, path)
        declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), (method, path)
        for parameter in operation["parameters"]:
            assert parameter["description"], (method, path, parameter["name"])


def test_every_route_answers_with_a_status_it_declares(api, operations):
    for method, path, operation in operations:
        if path.endswith("/stream"):
            continue
        status, answer = api.request(method, concrete(path))
        assert str(status) in operation["responses"], (method, path, status, answer)


def test_every_route_refuses_a_query_it_does_not_know(operations, refused):
    for method, path, _ in operations:
        assert "'colour'" in refused(400, method, concrete(path) + "?colour=red")["message"]


def test_every_route_with_a_device_refuses_one_that_is_not_there(operations, refused):
    for method, path, operation in operations:
        if "{device}" not in path:
            continue
        refused(404, method, concrete(path, device="nobody"), least_body(operation))


def test_every_route_refuses_a_body_it_does_not_know(operations, refused):
    for method, path, operation in operations:
        if method in ("GET", "DELETE"):
            continue
        if "requestBody" not in operation:
            refused(400, method, concrete(path), {"colour": "red"})
        elif "properties" in schema_of(operation):
            assert refused(400, method, concrete(path),
                           {"colour": "red"})["pointer"] == "/colour", path


def test_every_member_of_a_body_is_checked(operations, refused):
    wrong = {"string": 7, "integer": "7", "boolean": "true", "object": [], "array": {}}
    checked = 0
    for method, path, operation in operations:
        if "requestBody" not in operation:
            continue
        for name, schema in schema_of(operation).get("properties", {}).items():
            if "type" not in schema:
                continue  # any JSON will do
            checked += 1
            error = refused(400, method, concrete(path), {name: wrong[schema["type"]]})
            assert error["pointer"] == f"/{name}", (path, name)
    assert checked > 30


def test_every_path_says_which_methods_it_knows(api, operations, skymock):
    known = {}
    for method, path, _ in operations:
        known.setdefault(path, []).append(method)
    for path, methods in known.items():
        for method in METHODS:
            if method in methods:
                continue
            status, answer = api.request(method, concrete(path))
            assert status == 405 and answer["error"]["code"] == "method", (method, path)
            for each in methods:
                assert each in answer["error"]["message"]


def test_a_path_that_is_none_is_led_to_its_neighbours(refused):
    assert "GET /api/v1/devices" in refused(404, "GET", "/api/v1/device")["message"]
    assert "GET /api/v1/events" in refused(404, "GET", "/api/v1/evnets")["message"]
    assert "/openapi.json" in refused(404, "GET", "/nothing/here")["message"]
    assert "the console has no file" in refused(404, "GET", "/console/none.js")["message"]
    refused(404, "GET", "/api/v1/devices/aliyun")
    refused(404, "GET", "/api/v1/devices/")
    refused(404, "GET", "/api/v1/devices/aliyun/pk/" + "x" * 65)


def test_head_is_get_without_a_body(api):
    connection = api._connection
    connection.request("HEAD", "/health")
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read() == b""
    assert int(answer.getheader("Content-Length")) > 0
    api.barrier()


def test_health_ready_version_metrics(api, online):
    online("aliyun/pk/device")
    assert api.get("/health") == {"status": "ok"}
    assert api.get("/ready") == {"status": "ok"}
    assert {"aliyun", "tencent", "enos"} <= {c["name"] for c in api.get("/version")["clouds"]}
    for cloud, kinds in (("aliyun", 13), ("tencent", 9), ("enos", 6)):
        told = next(each for each in api.get("/version")["clouds"] if each["name"] == cloud)
        assert len(told["commands"]) == kinds and all(each["about"] for each in told["commands"])
    metrics = dict(line.rsplit(" ", 1) for line in api.get("/metrics").splitlines()
                   if not line.startswith("#"))
    assert int(metrics["skymock_devices_online"]) == 1
    assert int(metrics["skymock_connections"]) >= 2
    assert int(metrics["skymock_events_total"]) > 0


def test_commands_are_told_as_they_are_taken(api):
    for cloud in api.get("/version")["clouds"]:
        device = api.get("/api/v1/devices", cloud=cloud["name"], limit=1)["devices"]
        if not device:
            continue
        status, answer = api.request("POST", f"/api/v1/devices/{device[0]['name']}/commands",
                                     {"kind": "no-such"})
        assert status == 404
        known = answer["error"]["message"].partition("; it has: ")[2]
        assert known.split(", ") == [each["kind"] for each in cloud["commands"]]


def test_started_tells_one_process_from_another(start, tmp_path):
    store = str(tmp_path / "store.db")
    first = start("--store", store)
    started = first.api.get("/version")["started"]
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(
        started.replace("Z", "+00:00"))
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=1)
    first.api.post("/api/v1/clock/set", {"unixMs": 0})
    first.api.freeze()
    first.api.reset()
    assert first.api.get("/version")["started"] == started
    first.stop()
    assert start("--store", store).api.get("/version")["started"] > started


def test_a_token_guards_everything_but_health(start):
    running = start("--admin-token", "s3cret")
    api = type(running.api)(running.ports["admin"])
    guarded = type(running.api)(running.ports["admin"], token="s3cret")
    assert api.request("GET", "/health")[0] == 200
    assert api.request("GET", "/ready")[0] == 200
    for path in ("/version", "/api/v1/devices", "/openapi.json", "/nowhere"):
        status, answer = api.request("GET", path)
        assert status == 401 and answer["error"]["code"] == "token"
    wrong = type(running.api)(running.ports["admin"], token="s3creT")
    assert wrong.request("GET", "/version")[0] == 401
    assert guarded.request("GET", "/version")[0] == 200
    for each in (api, guarded, wrong):
        each.close()


OPEN = ("/health", "/ready", "/ca.crt", "/", "/api", "/console/{name}")


def test_every_route_needs_the_token_but_those_that_probes_and_devices_use(start):
    running = start("--admin-token", "s3cret")
    guarded = type(running.api)(running.ports["admin"], token="s3cret")
    for path, methods in guarded.get("/openapi.json")["paths"].items():
        for method in methods:
            status, _ = running.api.request(method.upper(), concrete(path))
            assert (status == 401) == (path not in OPEN), (method, path, status)
    guarded.close()


def test_every_route_with_a_body_says_when_it_is_too_large(api, operations):
    for method, path, operation in operations:
        if method in ("GET", "DELETE"):
            continue
        status, answer = api.request(method, concrete(path), b" " * (1024 * 1024 + 1))
        assert status == 413 and answer["error"]["code"], (method, path, status, answer)


# ---- query parameters, as the description has them ----

def text_parameters(api):
    """(path, name, schema) of every bounded text in a query that needs no device to be there."""
    for path, methods in api.get("/openapi.json")["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            schema = parameter["schema"]
            if "{" not in path and parameter["in"] == "query" and "maxLength" in schema:
                yield path, parameter["name"], schema


def test_texts_of_a_query_are_bounded_as_described(api, refused):
    found = list(text_parameters(api))
    assert ("/api/v1/devices", "text") in [each[:2] for each in found]
    for path, name, schema in found:
        error = refused(400, "GET", path, **{name: "x" * (schema["maxLength"] + 1)})
        assert f"'{name}'" in error["message"] and str(schema["maxLength"]) in error["message"]
    assert api.get("/api/v1/devices", text="x" * 256)["devices"] == []
    for path in ("/api/v1/devices", "/api/v1/events"):
        assert "1 to 256 bytes" in refused(400, "GET", path, text="")["message"]


def test_a_query_is_told_what_it_must_be(refused):
    for query, form in (({"limit": 0}, "an integer, 1 to 1000"), ({"run": 1}, "true or false"),
                        ({"device": "x"}, "CLOUD/PRODUCT/DEVICE"), ({"product": "x"}, "CLOUD/PRODUCT")):
        assert f"must be {form}" in refused(400, "GET", "/api/v1/events", **query)["message"]
