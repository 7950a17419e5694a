#!/bin/sh
# A device that knows nothing of skymock but its CA: it connects to the vendor's host name, on the
# vendor's port, checks the certificate, and signs its login itself.
set -eu
product=a1Example device=thermostat secret=${DEVICE_SECRET:-secret}
host=$product.iot-as-mqtt.cn-shanghai.aliyuncs.com
ca=${SKYMOCK_CA:-/tmp/ca.crt}

# Firmware has the CA compiled in (`skymock ca --c` prints it so); this one fetches it.
[ -e "$ca" ] || curl -fsS --retry 30 --retry-connrefused --retry-delay 1 -o "$ca" \
    "${SKYMOCK_URL:-http://skymock:8080}/ca.crt"

time=$(date +%s)000
sign=$(printf %s "clientIdboard1deviceName${device}productKey${product}timestamp$time" |
    openssl dgst -sha256 -hmac "$secret" | sed 's/.* //')
mosquitto_pub -h "$host" -p "${DEVICE_PORT:-443}" --cafile "$ca" -V mqttv311 -k 60 -q 1 \
    -i "board1|securemode=2,signmethod=hmacsha256,timestamp=$time|" -u "$device&$product" \
    -P "$sign" -t "/sys/$product/$device/thing/event/property/post" \
    -m '{"id": "1", "version": "1.0", "params": {"temp": 21.5}, "method": "thing.event.property.post"}'
echo "the device has reported over $host"
