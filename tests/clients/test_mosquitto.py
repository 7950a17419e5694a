"""mosquitto's command line clients as devices of each cloud."""

import json
import subprocess

import pytest
import server
from clients import DEVICES, EXCHANGES, send_down, sign


def arguments(program, port, fields, *more):
    command = [program, "-V", "mqttv311", "-h", "localhost", "-p", str(port), "-k", "60",
               "-i", fields["clientId"], "-u", fields["username"]]
    if "password" in fields:
        command += ["-P", fields["password"]]
    return [*command, *map(str, more)]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=server.PATIENCE_S,
                          check=False)


@pytest.mark.parametrize("cloud", EXCHANGES)
def test_publishes_what_sign_printed_for_it(skymock, cloud):
    device, topic, _, payload = EXCHANGES[cloud]
    done = run(*arguments("mosquitto_pub", skymock.ports["mqtt"], sign(device),
                          "-t", topic, "-m", payload, "-q", 1))
    assert done.returncode == 0, done.stderr
    event = skymock.api.wait_event({"type": "publish", "direction": "up", "device": device})
    assert event["topic"] == topic and event["qos"] == 1


@pytest.mark.parametrize("cloud", EXCHANGES)
def test_gets_its_answer(skymock, cloud):
    device, topic, answer_topic, payload = EXCHANGES[cloud]
    done = run(*arguments("mosquitto_rr", skymock.ports["mqtt"], sign(device),
                          "-t", topic, "-e", answer_topic, "-m", payload, "-q", 1, "-W", 10))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == payload if topic == answer_topic else '"code":200' in done.stdout


def test_subscriber_gets_what_the_application_sends(skymock):
    device, _, topic, _ = EXCHANGES["tencent"]
    subscriber = subprocess.Popen(
        arguments("mosquitto_sub", skymock.ports["mqtt"], sign(device), "-t", topic, "-q", 1,
                  "-C", 1, "-W", 20), stdout=subprocess.PIPE, text=True)
    skymock.api.wait_event({"type": "suback", "device": device})
    send_down(skymock.api, device, topic, "go")
    assert subscriber.communicate(timeout=server.PATIENCE_S)[0] == "go\n"


@pytest.mark.parametrize("cloud", DEVICES)
def test_wrong_password_is_refused_and_explained(skymock, cloud):
    fields = sign(DEVICES[cloud])
    fields["password"] = {"tencent": "0" * 64 + ";hmacsha256", "enos": "0" * 64,
                          "aliyun": "0" * 40}[cloud]
    done = run(*arguments("mosquitto_pub", skymock.ports["mqtt"], fields, "-t", "t", "-m", "x"))
    assert "bad user name or password" in done.stderr.lower()
    event = skymock.api.wait_event({"type": "connect", "device": DEVICES[cloud]})
    assert event["refused"] and event["explanation"]["signedText"]


@pytest.mark.parametrize("cloud,listener", [("aliyun", "mqtt"), ("aliyun", "https"),
                                            ("tencent", "mqtts")])
def test_tls_on_the_ports_real_sdks_use(skymock, ca, cloud, listener):
    device, topic, _, payload = EXCHANGES[cloud]
    done = run(*arguments("mosquitto_pub", skymock.ports[listener], sign(device, "--tls"),
                          "--cafile", ca, "-t", topic, "-m", payload, "-q", 1))
    assert done.returncode == 0, done.stderr
    skymock.api.wait_event({"type": "publish", "device": device, "transport": "tls"})


def test_pre_shared_key_needs_no_password(skymock):
    device, topic, _, payload = EXCHANGES["tencent"]
    fields = sign(device, "--tls")
    fields.pop("password")
    done = run(*arguments("mosquitto_pub", skymock.ports["mqtts"], fields,
                          "--psk-identity", fields["pskIdentity"], "--psk", fields["pskKeyHex"],
                          "--ciphers", "PSK-AES128-CBC-SHA:@SECLEVEL=0", "--tls-version",
                          "tlsv1.2", "-t", topic, "-m", payload, "-q", 1))
    assert done.returncode == 0, done.stderr


def test_https_login_then_mqtt_with_its_token(skymock, ca):
    fields = sign(DEVICES["aliyun"])
    url = f"https://localhost:{skymock.ports['https']}{fields['httpsPath']}"
    done = run("curl", "-sS", "--cacert", str(ca), "-d", fields["httpsForm"], url)
    assert done.returncode == 0, done.stderr
    assert '"code":200' in done.stdout, done.stdout
    answer = json.loads(done.stdout)["data"]
    token = {"clientId": "any|securemode=-1|", "username": answer["iotId"],
             "password": answer["iotToken"]}
    done = run(*arguments("mosquitto_pub", skymock.ports["mqtt"], token, "--cafile", ca,
                          "-t", "/pk/device/update", "-m", "x", "-q", 1))
    assert done.returncode == 0, done.stderr


def test_every_command_line_of_sign_is_a_whole_shell_command(skymock):
    """Quoting survives a shell; only the port is another here."""
    port = str(skymock.ports["mqtt"])
    command = next(each for each in sign(DEVICES["aliyun"])["commands"] if "-p 1883" in each)
    command = command.replace("-p 1883", f"-p {port}")
    done = run("sh", "-c", command + " -q 1")
    assert done.returncode == 0, done.stderr
    skymock.api.wait_event({"type": "publish", "device": DEVICES["aliyun"]})
