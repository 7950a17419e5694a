"""What devices do wrong in the cases of the suite `connect`."""

from habits import breaks

BREAKS = {
    "keepalive-in-range": breaks("asks for a keepalive of 20 s, which no cloud takes",
                                 keepalive=20),
}
