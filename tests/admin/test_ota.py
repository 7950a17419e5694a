"""Upgrades, as the application orders them."""

import base64
import hashlib
import ssl
import threading

import pytest
import server
from upgrades import DEVICE, PATH, Upgrading, connect, fetch, image_bytes, log_in, path_of, upload

MIB = 1024 * 1024


@pytest.fixture
def device(skymock, online):
    """A device that listens to upgrades."""
    return Upgrading(online(DEVICE))


def states(api):
    events = api.events(type="upgrade", device=DEVICE, limit=1000)
    return [event["state"] for event in events]


def test_an_upgrade_to_the_end(skymock, device):
    device.report("1.0.0")
    created = skymock.api.post(PATH, {"version": "1.1.0", "size": 100_000})
    assert created["state"] in ("queued", "notified") and created["size"] == 100_000
    told = device.told()
    assert told["version"] == "1.1.0" and told["file_size"] == 100_000
    assert told["url"].startswith(f"http://127.0.0.1:{skymock.ports['https']}/")
    assert len(path_of(told["url"])) < 64 and path_of(told["url"]).count("/") == 1
    got = fetch(connect(skymock.ports["https"]), path_of(told["url"]))
    assert hashlib.md5(got.body).hexdigest() == told["md5sum"] == created["md5"]
    assert hashlib.sha256(got.body).hexdigest() == created["sha256"]
    for percent in (0, 50, 100):
        device.progress("1.1.0", "downloading", percent)
    skymock.api.wait_event({"type": "upgrade", "state": "in-progress"})
    assert skymock.api.get(PATH)["upgrades"][0]["percent"] in (0, 50, 100)
    device.report("1.1.0")
    skymock.api.wait_event({"type": "upgrade", "state": "succeeded", "device": DEVICE})
    shown = skymock.api.get(PATH)
    assert shown["upgrades"][0]["state"] == "succeeded"
    assert shown["versions"] == {"default": "1.1.0"}
    assert states(skymock.api) == ["queued", "notified", "in-progress", "succeeded"]
    download = skymock.api.wait_event({"type": "download", "status": 200})
    assert download["device"] == DEVICE and download["count"] == 100_000
    assert download["reason"] == "complete"


def test_the_wait_ends_with_the_upgrade(skymock, device):
    answers = []
    api = server.Api(skymock.ports["admin"])

    def order():
        answers.append(api.request("POST", PATH,
                                   {"version": "2", "size": 10, "waitMs": 20_000}))
        api.close()

    thread = threading.Thread(target=order)
    thread.start()
    device.told()
    device.progress("2", "downloading", 10)
    device.progress("2", "fail", code="-1")
    thread.join(30)
    status, upgrade = answers[0]
    assert status == 200 and upgrade["state"] == "failed" and upgrade["reason"], upgrade


def test_a_wait_that_is_too_short(skymock, device, refused):
    error = refused(504, "POST", PATH, {"version": "2", "size": 10, "waitMs": 50})
    assert "notified" in error["message"] or "queued" in error["message"]
    assert skymock.api.get(PATH)["upgrades"][0]["version"] == "2"


def test_an_image_in_the_body(skymock, device):
    image = image_bytes(70_000)
    created = skymock.api.post(PATH, {"version": "3",
                                      "payloadBase64": base64.b64encode(image).decode()})
    assert created["md5"] == hashlib.md5(image).hexdigest()
    got = fetch(connect(skymock.ports["https"]), path_of(device.told()["url"]))
    assert got.body == image


@pytest.mark.parametrize("chunked", [False, True])
def test_an_image_that_is_the_body(skymock, device, chunked):
    image = image_bytes(3 * MIB + 123)
    body = [image[at:at + 100_000] for at in range(0, len(image), 100_000)] if chunked else image
    status, created = upload(skymock.ports["admin"], f"{PATH}?version=4&waitMs=0", body, chunked)
    assert status == 202, created
    assert created["size"] == len(image)
    assert created["sha256"] == hashlib.sha256(image).hexdigest()
    got = fetch(connect(skymock.ports["https"]), path_of(device.told()["url"]))
    assert got.body == image


def test_the_largest_image_and_one_byte_more(skymock):
    image = bytes(64 * MIB)
    status, created = upload(skymock.ports["admin"], f"{PATH}?version=4", image)
    assert status == 202 and created["size"] == 64 * MIB, created
    skymock.api.call("DELETE", PATH)
    status, answer = upload(skymock.ports["admin"], f"{PATH}?version=4", image + b"x")
    assert status == 413 and answer["error"]["code"] == "limit"
    pieces = [image[:MIB]] * 64 + [b"x"]
    status, answer = upload(skymock.ports["admin"], f"{PATH}?version=4", pieces, chunked=True)
    assert status == 413 and answer["error"]["code"] == "limit"


@pytest.mark.parametrize("body, pointer", [
    ({"size": 10}, "/version"),
    ({"version": "1 2", "size": 10}, "/version"),
    ({"version": "v" * 65, "size": 10}, "/version"),
    ({"version": "2"}, ""),
    ({"version": "2", "size": 10, "payloadBase64": "YQ=="}, ""),
    ({"version": "2", "payloadBase64": "?"}, "/payloadBase64"),
    ({"version": "2", "payloadBase64": ""}, "/payloadBase64"),
    ({"version": "2", "size": 0}, "/size"),
    ({"version": "2", "size": 64 * MIB + 1}, "/size"),
    ({"version": "2", "size": 10, "module": "mcu"}, "/module"),
    ({"version": "2", "size": 10, "protocol": "ftp"}, "/protocol"),
    ({"version": "2", "size": 10, "protocol": "mqtt"}, "/protocol"),
    ({"version": "2", "size": 10, "waitMs": -1}, "/waitMs"),
    ({"version": "2", "size": 10, "colour": "red"}, "/colour"),
])
def test_bad_orders(refused, body, pointer):
    assert refused(400, "POST", PATH, body)["pointer"] == pointer


def test_bad_uploads(skymock):
    def status(path, body=b"abc", **how):
        return upload(skymock.ports["admin"], path, body, **how)[0]

    assert status(PATH) == 400
    assert status(PATH + "?version=2", b"") == 400
    assert status(PATH + "?version=2&colour=red") == 400
    assert status(PATH + "?version=" + "v" * 65) == 400
    assert status(PATH + "?version=2&module=" + "m" * 65) == 400
    assert status(PATH + "?version=2&protocol=ftp") == 400
    assert status(PATH + "?version=2", content_type="text/plain") == 415
    assert status(PATH.replace("dev001", "nobody") + "?version=2") == 404
    assert status(PATH.replace("tencent", "nowhere") + "?version=2", bytes(MIB)) == 404
    assert status("/api/v1/devices/tencent/PROD123456/dev001/shadow", bytes(2 * MIB)) == 413
    assert not skymock.api.get(PATH)["upgrades"]


def test_one_at_a_time(skymock, refused):
    skymock.api.post(PATH, {"version": "2", "size": 10})
    assert "cancel" in refused(409, "POST", PATH, {"version": "3", "size": 10})["message"]
    assert upload(skymock.ports["admin"], PATH + "?version=3", b"abc")[0] == 409
    skymock.api.call("DELETE", PATH)
    skymock.api.post(PATH, {"version": "3", "size": 10})


def test_a_device_that_runs_it_is_not_upgraded_to_it(skymock, device, refused):
    device.report("5.0")
    device.peer.receive()
    assert refused(409, "POST", PATH, {"version": "5.0", "size": 10})["pointer"] == "/version"


def test_cancelling(skymock, device, refused):
    refused(404, "DELETE", PATH)
    skymock.api.post(PATH, {"version": "2", "size": 10})
    refused(404, "DELETE", PATH, module="mcu")
    assert skymock.api.request("DELETE", PATH, module="default")[0] == 204
    assert skymock.api.get(PATH)["upgrades"][0]["state"] == "canceled"
    refused(404, "DELETE", PATH)


def test_unknown_devices(refused):
    nobody = PATH.replace("dev001", "nobody")
    refused(404, "GET", nobody)
    refused(404, "POST", nobody, {"version": "2", "size": 10})
    refused(404, "DELETE", nobody)


def test_told_when_it_comes(skymock, online):
    """Offline: queued; pushed when it is back and reports, or soon after it subscribed."""
    assert skymock.api.post(PATH, {"version": "2", "size": 10})["state"] == "queued"
    device = Upgrading(online(DEVICE), subscribe=False)
    skymock.api.barrier()
    assert skymock.api.get(PATH)["upgrades"][0]["state"] == "queued"
    device.subscribe()
    assert device.told()["version"] == "2"
    assert skymock.api.get(PATH)["upgrades"][0]["state"] == "notified"
    device.report("1")
    assert device.told()["version"] == "2"  # this is how a device that lost its way goes on


def test_a_version_reported_while_it_waits_is_success(skymock, online):
    skymock.api.post(PATH, {"version": "2", "size": 10})
    device = Upgrading(online(DEVICE))
    device.report("2")
    skymock.api.wait_event({"type": "upgrade", "state": "succeeded"})
    assert states(skymock.api) == ["queued", "succeeded"]


def test_an_upgrade_outlives_the_server(tmp_path):
    image = image_bytes(300_000)
    options = ("--store", str(tmp_path / "store.db"))
    first = server.Skymock(*options)
    try:
        status, created = upload(first.ports["admin"], PATH + "?version=2", image)
        assert status == 202, created
    finally:
        first.kill()
    second = server.Skymock(*options)
    try:
        shown = second.api.get(PATH)["upgrades"][0]
        assert shown["state"] == "queued" and shown["sha256"] == created["sha256"]
        peer = server.Peer(second.ports["mqtt"])
        told = log_in(peer).told()
        peer.close()
        assert fetch(connect(second.ports["https"]), path_of(told["url"])).body == image
    finally:
        second.stop()


def test_urls_lead_to_where_the_device_came(skymock, online, start):
    """Its host and its way in; the advertised host without a port."""
    def url(server_, listener, tls):
        peer = server.Peer(server_.ports[listener])
        if tls:
            context = ssl.create_default_context(cadata=server_.api.get("/ca.crt"))
            peer.socket = context.wrap_socket(peer.socket, server_hostname="localhost")
        device = log_in(peer)
        server_.api.request("DELETE", PATH)
        server_.api.post(PATH, {"version": "2", "size": 10})
        told = device.told()["url"].rsplit("/", 1)[0]
        peer.close()
        return told

    port = skymock.ports["https"]
    assert url(skymock, "mqtt", False) == f"http://127.0.0.1:{port}"
    assert url(skymock, "mqtts", True) == f"https://localhost:{port}"
    other = start("--advertise-host", "fw.example")
    assert url(other, "mqtt", False) == "http://fw.example"
    assert url(other, "mqtts", True) == "https://fw.example"


def test_an_upload_needs_the_token(start):
    running = start("--admin-token", "t")
    status, answer = upload(running.ports["admin"], PATH + "?version=2", image_bytes(300_000))
    assert status == 401, answer
    api = server.Api(running.ports["admin"], "t")
    assert not api.get(PATH)["upgrades"]
    api.close()


def test_an_upload_that_is_cut_short_leaves_nothing(skymock, device):
    for head in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
        sock = connect(skymock.ports["admin"])
        sock.sendall(f"POST {PATH}?version=2 HTTP/1.1\r\nHost: localhost\r\n{head}\r\n"
                     "Content-Type: application/octet-stream; x=y\r\n\r\n".encode())
        sock.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\nZ" if "chunked" in head
                     else bytes(100_000))
        if "chunked" in head:
            assert b"400" in sock.recv(64)
        sock.close()
    skymock.api.barrier()
    assert not skymock.api.get(PATH)["upgrades"]
    assert upload(skymock.ports["admin"], PATH + "?version=2", b"abc")[0] == 202


def test_an_upgrade_that_takes_too_long(skymock, online):
    """The time runs from the first progress, where the cloud has a limit."""
    path = "/api/v1/devices/aliyun/pk/device/ota"
    device = online("aliyun/pk/device")
    skymock.api.freeze()
    skymock.api.post(path, {"version": "2", "size": 10})
    assert "upgrade" in device.receive()["topic"]
    skymock.api.advance(30_000)
    device.send_packet(type="publish", topic="/ota/device/progress/pk/device",
                       payload='{"id":"1","params":{"step":"10","desc":"","module":"default"}}')
    skymock.api.wait_event({"type": "upgrade", "state": "in-progress"})
    skymock.api.advance(3600 * 1000 - 1)
    assert skymock.api.get(path)["upgrades"][0]["state"] == "in-progress"
    skymock.api.advance(1)
    upgrade = skymock.api.get(path)["upgrades"][0]
    assert upgrade["state"] == "failed" and "timed out" in upgrade["reason"]
    assert upgrade["status"] == "FAILED"
    skymock.api.wait_event({"type": "upgrade", "state": "failed", "device": "aliyun/pk/device"})
