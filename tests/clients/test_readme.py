"""The README's commands, as they stand there except for the ports."""

import json
import re
import shutil
import subprocess

import matrix
import pytest
import server

TITLE = "A shadow delta in four commands"


def commands(title):
    """Each command of a section's first block; one may go on over several lines."""
    section = (server.ROOT / "README.md").read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", section, re.S)[1]
    return block.replace("\\\n", " ").strip().splitlines()


@pytest.mark.skipif(not shutil.which("mosquitto_sub"), reason="needs mosquitto-clients")
def test_a_shadow_delta_in_four_commands(start):
    serve, subscribe, change, show = commands(TITLE)
    assert serve == "./dev serve"  # which serves the example devices
    own = start(fixtures=server.ROOT / "fixtures")
    admin = f"localhost:{own.ports['admin']}"
    subscribe = subscribe.replace("mosquitto_sub", f"mosquitto_sub -C 1 -p {own.ports['mqtt']}")
    with subprocess.Popen(["bash", "-c", "exec " + subscribe], stdout=subprocess.PIPE,
                          text=True) as subscriber:
        own.api.wait_event({"type": "suback", "device": "tencent/PROD123456/dev001"})
        for command in (change, show):
            done = subprocess.run(["bash", "-c", command.replace("localhost:8080", admin)],
                                  capture_output=True, text=True, timeout=server.PATIENCE_S,
                                  check=True)
            assert json.loads(done.stdout)["state"]["delta"] == {"temperature": 25}
        delta = json.loads(subscriber.communicate(timeout=server.PATIENCE_S)[0])
    assert delta["type"] == "delta"
    assert delta["payload"]["state"] == {"temperature": 25}


def test_what_can_be_broken_is_what_the_table_says(api):
    assert matrix.table(matrix.ask(api)) in matrix.PAGE.read_text()
