#!/usr/bin/env python3
"""http_server.py FOLDER PORT [options]: an HTTP server for alerts. Into FOLDER it writes `port` when
it listens, `requests` (each as a JSON line, with when it came and on which connection), and `alerts`,
a line each, of what it answered with 2xx."""
import argparse
import base64
import email.utils
import gzip
import hashlib
import hmac
import http.server
import json
import os
import ssl
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("port", type=int)
parser.add_argument("--tls", help="file of the server's certificate and key")
parser.add_argument("--client-ca", help="whose certificates clients must have")
parser.add_argument("--answers", default="200", help="one after another, then the last: "
                    "STATUS[;HEADER: VALUE]|...; date+N is the date in N seconds")
parser.add_argument("--refuse", help="bodies that hold it are not taken")
parser.add_argument("--refusal", default="400", help="the answer to them; reset: none")
parser.add_argument("--most", type=int, default=1 << 30, help="413 for bodies of more bytes")
parser.add_argument("--hmac", choices=["timestamp", "github", "standard"])
parser.add_argument("--hmac-key", default="")
parser.add_argument("--say", default="", help="what the body of each answer holds")
options = parser.parse_args()
answers = options.answers.split("|")
lock = threading.Lock()
files = {name: open(os.path.join(options.folder, name), "a", encoding="utf-8")
         for name in ("requests", "alerts")}


def write(name, value):
    files[name].write(json.dumps(value, separators=(",", ":")) + "\n")
    files[name].flush()


def is_signed(headers, body):
    """Made from the descriptions of the three, not from what the plugin does."""
    key = options.hmac_key.encode()
    if options.hmac == "github":
        good = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(good, headers.get("X-Hub-Signature-256", ""))
    if options.hmac == "timestamp":
        parts = dict(part.split("=", 1) for part in headers.get("Picket-Signature", "=").split(","))
        good = hmac.new(key, parts.get("t", "").encode() + b"." + body, hashlib.sha256).hexdigest()
        return abs(time.time() - int(parts.get("t", 0))) < 300 and parts.get("v1") == good
    if options.hmac == "standard":
        key = base64.b64decode(options.hmac_key.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return headers["webhook-signature"] == "v1," + good
    return True


def alerts_of(kind, text):
    if kind.startswith("application/x-ndjson"):
        return [json.loads(line) for line in text.splitlines()]
    if kind.startswith("text/plain"):
        return text.splitlines()
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def judge(self, sent, text):
        if not is_signed(self.headers, sent):
            return "401"
        if options.refuse and options.refuse in text:
            return options.refusal
        if len(sent) > options.most:
            return "413"
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def take(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(sent) if self.headers["Content-Encoding"] == "gzip" else sent
        text = body.decode()
        with lock:
            answer = self.judge(sent, text)
            write("requests", {"time": time.monotonic(), "connection": self.client_address[1],
                               "method": self.command, "path": self.path, "answer": answer,
                               "headers": dict(self.headers), "body": text})
            if answer.startswith("2"):
                for alert in alerts_of(self.headers["Content-Type"], text):
                    write("alerts", alert)
        if answer == "reset":
            self.close_connection = True
            return
        status, _, header = answer.partition(";")
        said = options.say.encode()
        self.send_response(int(status))
        if header:
            name, value = header.split(": ")
            if value.startswith("date+"):
                value = email.utils.formatdate(time.time() + int(value[5:]), usegmt=True)
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_PUT = do_PATCH = take

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
server.daemon_threads = True
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls)
    if options.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.client_ca)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
with open(os.path.join(options.folder, "port.new"), "w", encoding="utf-8") as file:
    file.write(str(server.server_address[1]))
os.rename(os.path.join(options.folder, "port.new"), os.path.join(options.folder, "port"))
sys.stderr = open(os.devnull, "w", encoding="utf-8")  # handshakes that fail are what is tested
server.serve_forever()
