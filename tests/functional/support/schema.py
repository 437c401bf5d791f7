"""A checker for the part of JSON Schema 2020-12 that docs/openapi.yaml uses. A keyword that it does
not know is an error, so that nothing passes unchecked."""

import re

from support.formats import TIME

ANNOTATIONS = {"description", "title", "example", "examples", "default", "readOnly", "writeOnly", "deprecated",
               "contentMediaType", "$comment", "$id", "discriminator"}
TYPES = {
    "object": lambda v: isinstance(v, dict), "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str), "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "null": lambda v: v is None,
}


class Checker:
    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            rest = {k: v for k, v in node.items() if k != "$ref"}
            node = {"allOf": [target, rest]} if set(rest) - ANNOTATIONS else target
        return node

    def fits(self, schema, value):
        try:
            self.check(schema, value)
            return True
        except AssertionError:
            return False

    def known_properties(self, schema):
        schema = self.resolve(schema)
        if not isinstance(schema, dict):
            return set()
        names = set(schema.get("properties", {}))
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, []):
                names |= self.known_properties(part)
        return names

    def check(self, schema, value, path="$"):
        schema = self.resolve(schema)
        if schema is True or schema == {}:
            return
        assert schema is not False, f"{path}: not allowed"
        for word, rule in schema.items():
            if word in ANNOTATIONS or word.startswith("x-"):
                continue
            getattr(self, "word_" + word)(rule, value, path, schema)

    def word_type(self, rule, value, path, _):
        kinds = [rule] if isinstance(rule, str) else rule
        assert any(TYPES[kind](value) for kind in kinds), f"{path}: {value!r} is not {rule}"

    def word_enum(self, rule, value, path, _):
        assert value in rule, f"{path}: {value!r} is none of {rule}"

    def word_const(self, rule, value, path, _):
        assert value == rule and type(value) is type(rule), f"{path}: {value!r} is not {rule!r}"

    def word_properties(self, rule, value, path, _):
        if isinstance(value, dict):
            for name, schema in rule.items():
                if name in value:
                    self.check(schema, value[name], f"{path}.{name}")

    def word_required(self, rule, value, path, _):
        if isinstance(value, dict):
            missing = [name for name in rule if name not in value]
            assert not missing, f"{path}: {missing} missing"

    def word_additionalProperties(self, rule, value, path, schema):
        if isinstance(value, dict):
            for name in set(value) - set(schema.get("properties", {})):
                self.check(rule, value[name], f"{path}.{name}")

    def word_unevaluatedProperties(self, rule, value, path, schema):
        if isinstance(value, dict):
            for name in set(value) - self.known_properties(schema):
                self.check(rule, value[name], f"{path}.{name}")

    def word_propertyNames(self, rule, value, path, _):
        if isinstance(value, dict):
            for name in value:
                self.check(rule, name, f"{path}.{name} (name)")

    def word_maxProperties(self, rule, value, path, _):
        assert not isinstance(value, dict) or len(value) <= rule, f"{path}: too many properties"

    def word_items(self, rule, value, path, _):
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.check(rule, item, f"{path}[{index}]")

    def word_minItems(self, rule, value, path, _):
        assert not isinstance(value, list) or len(value) >= rule, f"{path}: too few items"

    def word_maxItems(self, rule, value, path, _):
        assert not isinstance(value, list) or len(value) <= rule, f"{path}: too many items"

    def word_uniqueItems(self, rule, value, path, _):
        assert not rule or not isinstance(value, list) or len({repr(v) for v in value}) == len(value), path

    def word_minLength(self, rule, value, path, _):
        assert not isinstance(value, str) or len(value) >= rule, f"{path}: too short"

    def word_maxLength(self, rule, value, path, _):
        assert not isinstance(value, str) or len(value) <= rule, f"{path}: too long"

    def word_pattern(self, rule, value, path, _):
        assert not isinstance(value, str) or re.search(rule, value), f"{path}: {value!r} does not match {rule}"

    def word_minimum(self, rule, value, path, _):
        assert not TYPES["number"](value) or value >= rule, f"{path}: {value} is below {rule}"

    def word_maximum(self, rule, value, path, _):
        assert not TYPES["number"](value) or value <= rule, f"{path}: {value} is above {rule}"

    def word_format(self, rule, value, path, _):
        if rule == "date-time" and isinstance(value, str):
            assert TIME.fullmatch(value), f"{path}: {value!r} is no time in whole UTC seconds"

    def word_allOf(self, rule, value, path, _):
        for part in rule:
            self.check(part, value, path)

    def word_anyOf(self, rule, value, path, _):
        assert any(self.fits(part, value) for part in rule), f"{path}: fits none of anyOf: {value!r}"

    def word_oneOf(self, rule, value, path, _):
        count = sum(self.fits(part, value) for part in rule)
        assert count == 1, f"{path}: fits {count} of oneOf: {value!r}"

    def word_not(self, rule, value, path, _):
        assert not self.fits(rule, value), f"{path}: fits what it must not"
