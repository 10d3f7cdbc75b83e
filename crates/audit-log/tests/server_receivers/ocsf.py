#!/usr/bin/env python3
"""Validates lines of JSON on standard input against the classes of OCSF 1.8.0 with the profile `trace`.

Prints how many there were of each class. `refused: …` on standard error, and 1, if one is not valid.
"""

import json
import sys
from collections import Counter

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

# Each document holds the schemas of all objects that its class can have.
schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
raw = get_ocsf_schema("1.8.0")
validators = {}
counts = Counter()

for number, line in enumerate(sys.stdin, 1):
    event = json.loads(line)
    uid = event["class_uid"]
    profiles = event["metadata"].get("profiles", [])
    name = schemas.lookup_class_name_from_uid(uid)
    key = (uid, *profiles)
    if key not in validators:
        validators[key] = Draft202012Validator(schemas.get_class_schema(name, profiles))
    errors = [error.json_path + ": " + error.message for error in validators[key].iter_errors(event)]
    # The generated schemas know enumerations of integers, and not that a type is class and activity.
    if event["type_uid"] != uid * 100 + event["activity_id"]:
        errors.append(f"type_uid {event['type_uid']}")
    if raw["classes"][name]["category_uid"] != event["category_uid"]:
        errors.append(f"category_uid {event['category_uid']}")
    if event["metadata"]["version"] != "1.8.0":
        errors.append("version")
    if errors:
        print(f"refused: line {number}: {'; '.join(errors)}: {line}", file=sys.stderr)
        sys.exit(1)
    counts[uid] += 1

print(" ".join(f"{uid}:{count}" for uid, count in sorted(counts.items())))
