"""What devices do wrong on purpose.

How a device behaves is in its habits: attributes and methods of its class, as a good device has
them. A broken device is a good one with one habit changed; a row of a table says which:

    BREAKS = {"case-id": breaks("what it does wrong", habit=value, ..)}

A value that is a function takes the method's place, and gets the device first."""

import types


class Break:
    """A row: what is wrong, and the habits that make it so."""

    def __init__(self, wrong, habits):
        self.wrong, self.habits = wrong, habits

    def fall_into(self, device):
        for name, value in self.habits.items():
            if not hasattr(type(device), name):
                raise AttributeError(f"a device has no habit {name!r}")
            is_method = isinstance(value, types.FunctionType)
            setattr(device, name, types.MethodType(value, device) if is_method else value)


def breaks(wrong, **habits):
    return Break(wrong, habits)
