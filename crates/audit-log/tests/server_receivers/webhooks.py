#!/usr/bin/env python3
"""Verifies a webhook: a line with the secret, a line of JSON with the header fields, and the body behind them.

Prints the type of the message. `refused: …` on standard error, and 1, if its signature is not right.
"""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks import webhooks

secret, headers, body = sys.stdin.buffer.read().split(b"\n", 2)
headers = json.loads(headers)


class Sent(datetime):
    """The clock of the receiver, at the time of the message."""

    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=timezone.utc)


webhooks.datetime = Sent
try:
    print(webhooks.Webhook(secret.decode()).verify(body, headers)["type"])
except webhooks.WebhookVerificationError as error:
    print(f"refused: {error}", file=sys.stderr)
    sys.exit(1)
