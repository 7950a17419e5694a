"""What /openapi.json promises, held against what the server does."""

import re

TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


class Description:
    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.operations = {(method.upper(), path): operation
                           for path, methods in document["paths"].items()
                           for method, operation in methods.items()}
        self.used = set()  # names of schemas that something was held against
        self._paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
                       for path in document["paths"]]

    def check(self, method, target, status, answer, content_type=None):
        """AssertionError when this answer is none that the description has. What refuses before the
        route is looked at (host, type, length, ...) is declared nowhere, and looks like any error."""
        route = target.partition("?")[0]
        path = next((path for pattern, path in self._paths if pattern.fullmatch(route)), None)
        declared = self.operations.get((method, path), {"responses": {}})["responses"]
        if status >= 400 and str(status) not in declared:
            contents = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        else:
            assert str(status) in declared, f"{method} {path} does not declare {status}"
            contents = declared[str(status)].get("content", {})
        if not contents:
            assert not answer, f"{method} {path}: {status} has a body: {answer}"
            return
        [(declared_type, content)] = contents.items()
        assert declared_type == "*/*" or content_type in (None, declared_type), f"{method} {path}: {content_type}"
        faults = list(self.faults(content["schema"], answer, ""))
        assert not faults, f"{method} {path}: {status} is not as described: {faults}"

    def faults(self, schema, value, at):
        """Where the value is not as the schema says, or has a member that it does not name."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            self.used.add(name)
            yield from self.faults(self.schemas[name], value, at)
            return
        for each in schema.get("allOf", []):
            yield from self.faults(each, value, at)
        branches = [list(self.faults(each, value, at)) for each in schema.get("anyOf", [])]
        if branches and all(branches):
            yield from min(branches, key=len)
        if "type" not in schema or (value is None and schema.get("nullable")):
            return
        if type(value) is not TYPES[schema["type"]]:
            yield f"{at} is no {schema['type']}: {value!r:.80}"
        elif value not in schema.get("enum", [value]):
            yield f"{at} is none of {schema['enum']}: {value!r}"
        elif isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            yield f"{at} is not like {schema['pattern']}: {value!r}"
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from self.faults(schema["items"], each, f"{at}/{number}")
        elif isinstance(value, dict) and ("properties" in schema or
                                          "additionalProperties" in schema):
            yield from self._member_faults(schema, value, at)

    def _member_faults(self, schema, value, at):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name in schema.get("required", []):
            if name not in value:
                yield f"{at}/{name} is missing"
        for name, each in value.items():
            if name in known or others:
                yield from self.faults(known.get(name, others), each, f"{at}/{name}")
            else:
                yield f"{at}/{name} is not described"
