#!/usr/bin/env python3
"""Reads octet-counted messages of RFC 5424 from standard input, as a receiver of RFC 5425 does.

The grammar is that of RFC 5424, 6. Prints how many there were, with the first and the last message id. `refused: …` on
standard error, and 1, if one is not right.
"""

import json
import re
import sys

SD_NAME = rb"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}"
PARAM = SD_NAME + rb'="(?:[^"\\\]]|\\["\\\]])*"'
MESSAGE = re.compile(
    rb"<(\d{1,3})>([1-9]\d{0,2}) "
    rb"(-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    rb"([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) "
    rb"(-|(?:\[" + SD_NAME + rb"(?: " + PARAM + rb")*\])+)"
    rb"(?: (.*))?",
    re.S,
)


def refuse(why):
    print(f"refused: {why}", file=sys.stderr)
    sys.exit(1)


data, ids = sys.stdin.buffer.read(), []
while data:
    count = re.match(rb"([1-9]\d*) ", data)
    if not count:
        refuse(f"message {len(ids)}: no count before {data[:20]!r}")
    end = count.end() + int(count[1])
    if end > len(data):
        refuse(f"message {len(ids)}: cut off")
    message = MESSAGE.fullmatch(data[count.end() : end])
    if not message:
        refuse(f"message {len(ids)}: {data[count.end():end]!r}")
    priority, version, _, _, _, process, id_, structured, text = message.groups()
    if (priority, version, process) != (b"109", b"1", b"audit"):
        refuse(f"message {len(ids)}: head")
    event = json.loads(text)
    wanted = b'[audit@32473 n="%s" tenant="%s"]' % (id_, event["metadata"]["tenant_uid"].encode())
    if structured != wanted or event["metadata"]["sequence"] != int(id_):
        refuse(f"message {len(ids)}: {structured!r}")
    ids.append(int(id_))
    data = data[end:]

print(len(ids), ids[0], ids[-1])
