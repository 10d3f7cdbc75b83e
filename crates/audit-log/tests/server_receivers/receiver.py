#!/usr/bin/env python3
"""A receiver of webhooks that fails, hangs and recovers.

  receiver.py PORT SECRET FILE

Answers the requests in turn with what stands in a line of standard input: a status, or `hang`. Then takes whatever is
signed. FILE has a line for each that it took: the number of the leaf.
"""

import http.server
import json
import sys
import threading

from standardwebhooks import webhooks

port, secret, taken = int(sys.argv[1]), sys.argv[2], sys.argv[3]
script = sys.stdin.read().split()
verifier = webhooks.Webhook(secret)
ended = threading.Event()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        does = script.pop(0) if script else "204"
        if does == "hang":
            ended.wait(60)
            return
        status = int(does)
        if status == 204:
            try:
                message = verifier.verify(body, dict(self.headers))
            except webhooks.WebhookVerificationError:
                status = 401
            else:
                with open(taken, "a") as file:
                    file.write(f"{message['data']['n']}\n")
        self.send_response(status)
        if status == 302:
            self.send_header("location", f"http://127.0.0.1:{port}/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
