"""The image: what is in it, what it takes, and that skymock does in it what it does elsewhere."""

import json
import os
import select
import ssl
import subprocess
import time
from pathlib import Path

import coap
import containers
import pytest
import server
from containers import EXCHANGES
from receiver import Receiver

MEGABYTE = 1000 * 1000
# What the C library reads, whom https servers are believed by, what a program is loaded with.
FILES = {"etc/group", "etc/nsswitch.conf", "etc/passwd", "etc/ssl/certs/ca-certificates.crt",
         "usr/bin/skymock"}
LOADERS = {"amd64": "lib64/ld-linux-x86-64.so.2", "arm64": "lib/ld-linux-aarch64.so.1"}
# The rest of what it needs is in the program.
LIBRARIES = {"libc.so.6", "libcjson.so.1", "libm.so.6", "libuv.so.1"}
USER = 65532


def files(top):
    return {str(path.relative_to(top)): path for path in sorted(Path(top).rglob("*"))
            if not path.is_dir()}


def test_it_is_small(image):
    size = containers.inspect(image)["Size"]
    print(f"\nimage: {size / MEGABYTE:.1f} MB")
    assert size <= 20 * MEGABYTE


def test_nothing_is_in_it_but_skymock_and_what_it_needs(image, root):
    found = files(root.path)
    print("".join(f"\nimage: {path.stat().st_size:9} {name}" for name, path in found.items()
                  if not name.startswith("fixtures/")))
    libraries = {Path(name).name for name in found if name.startswith("usr/lib/")}
    assert libraries == LIBRARIES
    rest = {name for name in found if not name.startswith(("usr/lib/", "fixtures/"))}
    assert rest == FILES | {LOADERS[containers.inspect(image)["Architecture"]]}


def test_the_example_devices_are_in_it(root):
    """And neither vectors nor pages: those are for people who build skymock."""
    found = {name for name in files(root.path) if name.startswith("fixtures/")}
    expected = {str(path.relative_to(server.ROOT))
                for path in (server.ROOT / "fixtures").rglob("*.json")
                if "vectors" not in path.parts}
    assert found == expected


def test_folders_belong_to_its_user(root):
    for name in ("data", "fixtures", "fixtures/enos/devices.json"):
        owner = Path(root.path, name).stat()
        assert (owner.st_uid, owner.st_gid) == (USER, 0), name
    assert Path(root.path, "data").stat().st_mode & 0o777 == 0o770


def test_what_it_says_of_itself(image):
    config = containers.inspect(image)["Config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["skymock"] and config["Cmd"] == ["serve"]
    assert config["StopSignal"] in ("SIGTERM", "15") and set(config["Volumes"]) == {"/data"}
    assert set(config["ExposedPorts"]) == {
        "1883/tcp", "8883/tcp", "11883/tcp", "18883/tcp", "5684/udp", "8443/tcp", "8080/tcp"}
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "skymock"
    version = containers.must(server.PROGRAM, "version").split()[1]
    assert labels["org.opencontainers.image.version"] == version


# ---- running ----

def login(container, peer, device, answer=0):
    """A device logs in with the credentials that the server itself gives."""
    fields = container.api.get(f"/api/v1/devices/{device}/credentials")
    own = f"{device.partition('/')[0]}-mqtt"
    connection = peer(container.ports.get(own, container.ports["mqtt"]))
    connection.send_packet(type="connect", keepalive=60, clean=True, clientId=fields["clientId"],
                           username=fields["username"],
                           password=fields.get("password") if not answer else "0" * 40)
    connack = connection.receive()
    assert connack["type"] == "connack" and connack["code"] == answer, connack
    return connection


@pytest.mark.parametrize("cloud", EXCHANGES)
def test_a_device_of_each_cloud_logs_in_and_is_judged(container, peer, cloud):
    device, topic, payload = EXCHANGES[cloud]
    connection = login(container, peer, device)
    connection.send_packet(type="publish", topic=topic, payload=payload, qos=1, id=1)
    container.api.wait_event({"type": "publish", "direction": "up", "device": device})
    connection.send_packet(type="disconnect")
    done = containers.podman("exec", container.name, "skymock", "verdict", "--device", device)
    assert done.returncode == 0 and "passed" in done.stdout, done.stdout + done.stderr


def test_a_refusal_explains_itself(container, peer):
    device = EXCHANGES["aliyun"][0]
    login(container, peer, device, answer=4)
    event = container.api.events(type="connect", device=device)[-1]
    assert event["findings"] and event["explanation"], event
    assert "aliyun/pk/device" in container.logs()


def test_a_device_speaks_coap_over_dtls(container):
    name, cloud = EXCHANGES["enos"][0], container.api
    fields = cloud.get(f"/api/v1/devices/{name}/credentials")
    device = coap.Device(container.ports["coaps"], fields["pskIdentity"],
                         bytes.fromhex(fields["pskKeyHex"]))
    try:
        answer = device.post("/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post",
                             EXCHANGES["enos"][2].encode())
    finally:
        device.close()
    assert json.loads(answer.payload)["code"] == 200


def test_the_suites_are_built_in(container):
    built_in = {path.stem for path in (server.ROOT / "fixtures/suites").glob("*.json")
                if not path.stem.endswith("schema")}
    suites = container.api.get("/api/v1/suites")["suites"]
    assert built_in <= {suite["suite"] for suite in suites}


def test_its_certificate_is_for_the_name_of_the_service(container, tmp_path):
    authority = tmp_path / "ca.crt"
    authority.write_text(container.api.get("/ca.crt"))
    context = ssl.create_default_context(cafile=str(authority))
    server.TlsPeer(container.ports["mqtts"], context, name="skymock").close()


def test_its_api_answers_under_the_name_of_the_service(container):
    for name, status in (("skymock", "200"), ("elsewhere.example", "421")):
        assert containers.must("curl", "-so", "/dev/null", "-w", "%{http_code}", "-H",
                               f"Host: {name}:8080", f"{container.url}/api/v1/devices") == status


def test_names_are_resolved_and_messages_forwarded(run, peer):
    receiver = Receiver()
    receiver.open()
    try:
        container = run("serve", "--forward", f"http://localhost:{receiver.port}/in")
        device, topic, payload = EXCHANGES["aliyun"]
        login(container, peer, device).send_packet(type="publish", topic=topic, payload=payload,
                                                   qos=1, id=1)
        receiver.wait_count(1)
    finally:
        receiver.close()


def test_health(container, run):
    assert container.healthcheck()
    assert not run(environment={"SKYMOCK_URL": f"http://127.0.0.1:{containers.free_port()}"}
                   ).healthcheck()


def test_devices_of_ones_own_take_the_place_of_the_examples(run, tmp_path):
    (tmp_path / "devices.json").write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": "own",
         "devices": [{"deviceName": "only", "deviceSecret": "secret"}]}]}))
    tmp_path.chmod(0o755)
    container = run(options=("--read-only", f"--volume={tmp_path}:/fixtures:ro"))
    assert [device["name"] for device in container.api.get("/api/v1/devices")["devices"]] == \
        ["aliyun/own/only"]


@pytest.mark.parametrize("user", [None, "1000660000"])
def test_a_fresh_volume_keeps_devices_and_certificates(run, volume, user):
    """For its own user, and for one whose number nobody knew before."""
    options = ["--read-only", f"--volume={volume}:/data"] + ([f"--user={user}"] if user else [])
    first = run(options=options)
    first.api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "new"})
    authority = first.api.get("/ca.crt")
    assert first.stop()[0] == 0
    second = run(options=options)
    assert second.api.get("/ca.crt") == authority
    assert second.api.get("/api/v1/devices/aliyun/pk/new")["device"] == "new"


def test_it_ends_when_told_to(run):
    """At once: the figure is what counts, the bound is for a machine with more to do."""
    code, took = run().stop()
    print(f"\nimage: ends {took:.0f} ms after SIGTERM")
    assert code == 0 and took < 2000


def test_memory(run):
    """At the start: the journal takes its memory as it fills, and OpenSSL, which multiplies points
    of curves, with the first TLS handshake (some 2 MB of the program's file)."""
    container = run()
    print(f"\nimage: {container.memory() / 1024:.1f} MiB resident, "
          f"{container.memory('RssAnon') / 1024:.1f} MiB of them its own")
    assert container.memory() * 1024 <= 12 * MEGABYTE


# ---- from exec to ready ----

def start(root, *options):
    """Milliseconds until the process says that it is ready, in the image's root; those it ran."""
    urandom = Path(root, "dev/urandom")
    if not urandom.exists():
        urandom.parent.mkdir(exist_ok=True)
        os.mknod(urandom, 0o20666, os.makedev(1, 9))

    # Nothing of Python's own is measured: what it forks for itself takes as long as the program.
    enter = ["chroot", f"--userspec={USER}:0", "--groups=", str(root)]
    begun = time.monotonic()
    with subprocess.Popen([*enter, "/usr/bin/skymock", "serve", "--fixtures", "/fixtures",
                           "--listen", "all=0", *options], stdout=subprocess.PIPE,
                          env={"PATH": os.environ["PATH"]}) as process:
        select.select([process.stdout], [], [], server.PATIENCE_S)
        took = (time.monotonic() - begun) * 1000
        ran = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e6
        line = process.stdout.readline()
        process.terminate()
    assert line.startswith(b"skymock is ready:")
    return took, ran


def test_it_is_ready_at_once(root):
    """No runtime is measured, only what the program does in the image. The least of a few: the
    bound is for a machine with more to do."""
    for what, store, times in (("without a store", ":memory:", 5), ("a new store", "/data/new.db", 1),
                               ("that store again", "/data/new.db", 5)):
        took, ran = min(start(root.path, "--store", store) for _ in range(times))
        print(f"\nimage: ready after {took:.0f} ms, {ran:.0f} ms of them its own, {what}")
        assert took < 2000
