"""Capture files, as tshark sees them."""

import json
import shutil
import subprocess

import pytest
import server

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"),
                                  reason="needs tshark: Debian's package of that name")
# What tshark is to take for faults as well.
CHECKS = [part for name in ("ip", "tcp", "udp")
          for part in ("-o", f"{name}.check_checksum:TRUE")]


def tshark(path, *options):
    done = subprocess.run(["tshark", "-r", str(path), *options], capture_output=True, text=True,
                          timeout=server.PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def decode_as(ports, https="http"):
    """The ports of a test are free ones: what they carry."""
    protocols = {name: "mqtt" for name in ports if "mqtt" in name}
    options = [part for name, protocol in {**protocols, "https": https}.items()
               for part in ("-d", f"tcp.port=={ports[name]},{protocol}")]
    return [*options, "-d", f"udp.port=={ports['coaps']},coap"]


def packets(path, ports, wanted="", https="http", **options):
    """[{"frame.number": ["1"], ...}] of the packets that a display filter chooses."""
    fields = ["frame.number", "frame.interface_name", "frame.comment", "_ws.col.Protocol",
              "_ws.col.Info", "ip.src", "ip.dst", "ipv6.src", "tcp.srcport", "tcp.dstport",
              "tcp.stream", "tcp.flags.str", "udp.dstport", "mqtt.msgtype", "mqtt.topic",
              "mqtt.clientid", "coap.code", "http.request.uri", "http.response.code", "tcp.len",
              "frame.time_epoch", "data.data"]
    text = tshark(path, *decode_as(ports, https), *options.get("more", []), "-Y", wanted or "frame",
                  "-T", "json", *(part for field in fields for part in ("-e", field)))
    return [each["_source"]["layers"] for each in json.loads(text)]


def faults(path, ports, https="http", *more):
    """Whatever tshark finds wrong with the packets, checksums and sequence numbers too."""
    text = tshark(path, *decode_as(ports, https), *CHECKS, *more, "-Y",
                  "_ws.malformed || _ws.expert.severity >= \"warning\" || tcp.analysis.flags",
                  "-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message",
                  "-e", "_ws.col.Info")
    return text.splitlines()
