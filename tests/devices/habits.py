"""What devices do wrong on purpose.

How a device behaves is in its habits: attributes and methods of its class, as a good device has
them. A broken device is a good one with one habit changed; a row of a table says which:

    BREAKS = {"case-id": breaks("what it does wrong", habit=value, ..)}

A value that is a function takes the method's place, and gets the device first."""

import types


class Break:
    """A row: what is wrong, the habits that make it so, and what the case makes of it: "failed",
    "warned" where standards allow it, "not exercised" where silence is all that is seen."""

    def __init__(self, wrong, verdict, habits):
        self.wrong, self.verdict, self.habits = wrong, verdict, habits

    def fall_into(self, device):
        for name, value in self.habits.items():
            if not hasattr(type(device), name):
                raise AttributeError(f"a device has no habit {name!r}")
            is_method = isinstance(value, types.FunctionType)
            setattr(device, name, types.MethodType(value, device) if is_method else value)


def breaks(wrong, verdict="failed", **habits):
    return Break(wrong, verdict, habits)
