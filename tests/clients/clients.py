"""What the client tests share: a device of each cloud, and its credentials from `skymock sign`."""

import json

import server

# cloud: device, topic to publish to, topic something comes back on, what to publish
EXCHANGES = {
    "aliyun": ("aliyun/pk/device", "/pk/device/user/both", "/pk/device/user/both", "hello"),
    "tencent": ("tencent/PROD123456/dev001", "PROD123456/dev001/data", "PROD123456/dev001/data",
                "hello"),
    "enos": ("enos/KV315idW/tPbZGCdmaE",
             "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post",
             "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post_reply",
             '{"id":"1","version":"1.0","params":{"measurepoints":{"temp":1.02},'
             '"time":1548753362502},"method":"thing.measurepoint.post"}'),
}
DEVICES = {cloud: exchange[0] for cloud, exchange in EXCHANGES.items()}


def sign(device, *options):
    """The fields that `skymock sign --json` prints."""
    done = server.run("sign", device, "--json", "--fixtures", server.FIXTURES, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def send_down(api, device, topic, payload, qos=1):
    """The application sends the device a message."""
    return api.post(f"/api/v1/devices/{device}/messages",
                    {"topic": topic, "payload": payload, "qos": qos})
