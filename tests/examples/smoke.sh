#!/bin/sh
# A device that publishes once, and a question about it.
#   ./smoke.sh                starts skymock, which starts this script again as the test
set -eu
cd "$(dirname "$0")"

if [ -z "${SKYMOCK_URL:-}" ]; then
    exec "${SKYMOCK:-skymock}" exec --fixtures devices.json --junit "${REPORT:-smoke.xml}" -- "$0"
fi

# What the device sends to log in: its firmware would sign that itself.
login=$(curl -s "$SKYMOCK_URL/api/v1/devices/aliyun/a1Example/thermostat/credentials")
field()
{
    echo "$login" | grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}
mosquitto_pub -h "$SKYMOCK_HOST" -p "$SKYMOCK_PORT_MQTT" -V mqttv311 -k 60 -q 1 \
    -i "$(field clientId)" -u "$(field username)" -P "$(field password)" \
    -t /sys/a1Example/thermostat/thing/event/property/post \
    -m '{"id": "1", "version": "1.0", "params": {"temp": 21.5}, "method": "thing.event.property.post"}'

# Did it report a temperature above 20? The answer says what was nearest when it did not.
curl -s --fail-with-body -H 'Content-Type: application/json' -d '{
    "event": {"type": "publish", "device": "aliyun/a1Example/thermostat",
              "payload": {"pointer": "/params/temp", "min": 20}},
    "count": {"min": 1, "max": 1}}' "$SKYMOCK_URL/api/v1/verify"
echo
