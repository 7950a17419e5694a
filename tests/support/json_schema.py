"""As much of JSON Schema, draft 2020-12, as fixtures/suites/suite.schema.json uses."""

import re

TYPES = {"string": str, "boolean": bool, "object": dict, "array": list}
ANNOTATIONS = {"$schema", "$defs", "title", "description"}


class Schema:
    def __init__(self, document):
        self.document = document

    def faults(self, value):
        """Where the value is not as the schema says, as "pointer: what"."""
        return self._check(self.document, value, "")[0]

    def _check(self, schema, value, at):
        """Faults, and the members of the value that the schema has spoken of."""
        faults, known = [], set()
        for keyword, wanted in schema.items():
            if keyword in ANNOTATIONS or keyword in ("then", "else", "unevaluatedProperties",
                                                     "additionalProperties"):
                continue
            more, names = getattr(self, "_" + keyword.lstrip("$"))(schema, wanted, value, at)
            faults += more
            known |= names if not more else set()
        if isinstance(value, dict) and "additionalProperties" in schema:
            for name in value.keys() - schema.get("properties", {}).keys():
                faults += self._other(schema["additionalProperties"], name, at)
                known.add(name)
        if isinstance(value, dict) and "unevaluatedProperties" in schema and not faults:
            for name in value.keys() - known:
                faults += self._other(schema["unevaluatedProperties"], name, at)
        return faults, known

    @staticmethod
    def _other(allowed, name, at):
        return [] if allowed else [f"{at}/{name}: unknown"]

    def _ref(self, _, wanted, value, at):
        part = self.document
        for step in wanted.removeprefix("#/").split("/"):
            part = part[step]
        return self._check(part, value, at)

    def _type(self, _, wanted, value, at):
        if wanted in ("integer", "number"):
            good = isinstance(value, (int, float)) and not isinstance(value, bool) and (
                wanted == "number" or value == int(value))
        else:
            good = isinstance(value, TYPES[wanted])
        return [] if good else [f"{at}: no {wanted}"], set()

    def _const(self, _, wanted, value, at):
        same = type(value) is type(wanted) and value == wanted
        return [] if same else [f"{at}: not {wanted!r}"], set()

    def _enum(self, _, wanted, value, at):
        return [] if value in wanted else [f"{at}: none of {wanted}"], set()

    def _properties(self, _, wanted, value, at):
        faults, known = [], set()
        if isinstance(value, dict):
            for name in value.keys() & wanted.keys():
                faults += self._check(wanted[name], value[name], f"{at}/{name}")[0]
                known.add(name)
        return faults, known

    def _required(self, _, wanted, value, at):
        missing = [name for name in wanted if isinstance(value, dict) and name not in value]
        return [f"{at}: {name} is missing" for name in missing], set()

    def _items(self, _, wanted, value, at):
        faults = []
        for number, each in enumerate(value if isinstance(value, list) else []):
            faults += self._check(wanted, each, f"{at}/{number}")[0]
        return faults, set()

    def _pattern(self, _, wanted, value, at):
        bad = isinstance(value, str) and not re.search(wanted, value)
        return [f"{at}: not like {wanted}"] if bad else [], set()

    def _size(kind, compare):
        def check(self, _, wanted, value, at):
            bad = isinstance(value, kind) and not isinstance(value, bool) and not compare(
                value if kind == (int, float) else len(value), wanted)
            return [f"{at}: too much or too little"] if bad else [], set()
        return check

    _minimum = _size((int, float), lambda size, limit: size >= limit)
    _maximum = _size((int, float), lambda size, limit: size <= limit)
    _minLength = _size(str, lambda size, limit: size >= limit)
    _maxLength = _size(str, lambda size, limit: size <= limit)
    _minItems = _size(list, lambda size, limit: size >= limit)
    _maxItems = _size(list, lambda size, limit: size <= limit)
    _minProperties = _size(dict, lambda size, limit: size >= limit)
    _maxProperties = _size(dict, lambda size, limit: size <= limit)

    def _allOf(self, _, wanted, value, at):
        faults, known = [], set()
        for each in wanted:
            more, names = self._check(each, value, at)
            faults += more
            known |= names
        return faults, known

    def _branches(self, wanted, value, at):
        results = [self._check(each, value, at) for each in wanted]
        good = [known for faults, known in results if not faults]
        nearest = min((faults for faults, _ in results), key=len)
        return good, nearest

    def _anyOf(self, _, wanted, value, at):
        good, nearest = self._branches(wanted, value, at)
        return ([], set().union(*good)) if good else (nearest, set())

    def _oneOf(self, _, wanted, value, at):
        good, nearest = self._branches(wanted, value, at)
        if len(good) > 1:
            return [f"{at}: fits {len(good)} forms"], set()
        return ([], good[0]) if good else (nearest, set())

    def _if(self, schema, wanted, value, at):
        faults, known = self._check(wanted, value, at)
        more, names = self._check(schema.get("else" if faults else "then", {}), value, at)
        return more, names | (known if not faults else set())
