"""Eclipse Paho as a device of Tencent IoT Hub: what its SDKs do beyond logging in."""

import server
from clients import send_down
from test_paho import connect  # noqa: F401  pylint: disable=unused-import

DEVICE, TOPIC = "tencent/PROD123456/dev001", "PROD123456/dev001/data"
QUEUE = 150


def waits(skymock, connect, count):  # noqa: F811
    """The device has left, and so many messages wait for it."""
    peer = connect(DEVICE, clean=False)
    assert peer.next() == ("connack", 0, False)
    peer.client.subscribe(TOPIC, 1)
    assert peer.next() == ("suback", 1)
    peer.stop()
    skymock.api.wait_event({"type": "disconnect", "device": DEVICE})
    for number in range(count):
        send_down(skymock.api, DEVICE, TOPIC, f"message {number}")


def test_what_waited_comes_one_by_one(skymock, connect):  # noqa: F811
    skymock.api.freeze()
    waits(skymock, connect, 3)
    peer = connect(DEVICE, clean=False)
    assert peer.next() == ("connack", 0, True)
    assert peer.next() == ("message", TOPIC, "message 0", 1)
    send_down(skymock.api, DEVICE, TOPIC, "new")
    skymock.api.advance(499)
    skymock.api.barrier()
    assert peer.happened.empty()
    skymock.api.advance(1)
    assert peer.next() == ("message", TOPIC, "message 1", 1)
    assert peer.happened.empty()
    skymock.api.advance(500)
    assert peer.next() == ("message", TOPIC, "message 2", 1)
    assert peer.next() == ("message", TOPIC, "new", 1)


def test_one_more_than_the_cloud_keeps_is_refused_to_its_sender(skymock, connect):  # noqa: F811
    waits(skymock, connect, QUEUE)
    try:
        send_down(skymock.api, DEVICE, TOPIC, "one too many")
    except server.ApiError as refused:
        assert refused.status == 409
    else:
        raise AssertionError("it was taken")

