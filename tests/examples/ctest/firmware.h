/* The firmware's report, as it is built for the host. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

struct firmware {
    int port; /* on this machine */
    const char *client_id, *username, *password, *topic;
    int persistent; /* keeps its session, and says again what nobody acknowledged */
};

/* Logs in and publishes once with QoS 1. 0: acknowledged; else it was refused or cut off. */
int firmware_report(const struct firmware *device, const char *payload, int again);

#endif
