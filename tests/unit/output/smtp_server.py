#!/usr/bin/env python3
"""smtp_server.py FOLDER PORT [options]: a mail server for alerts. Into FOLDER it writes `port` when
it listens, `mails` (each as a JSON line, with when it came), and `alerts`, the lines of its mails
that are JSON."""
import argparse
import asyncio
import email
import email.policy
import json
import logging
import os
import ssl
import time

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("port", type=int)
parser.add_argument("--tls", help="file of the server's certificate and key: STARTTLS")
parser.add_argument("--login", help="USER:PASSWORD it wants")
parser.add_argument("--refuse", help="554 for mails that hold it")
parser.add_argument("--unknown", help="550 for that recipient")
parser.add_argument("--busy", type=int, default=0, help="451 for so many mails first")
options = parser.parse_args()
files = {name: open(os.path.join(options.folder, name), "a", encoding="utf-8")
         for name in ("mails", "alerts")}


def write(name, line):
    files[name].write(line + "\n")
    files[name].flush()


class Handler:
    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address == options.unknown:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        if options.busy:
            options.busy -= 1
            return "451 4.3.0 come back later"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = mail.get_content().replace("\r\n", "\n")
        if options.refuse and options.refuse in text:
            return "554 5.7.1 it looks like malware"
        write("mails", json.dumps({
            "time": time.monotonic(), "sender": envelope.mail_from, "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in mail.items()},
            "raw": envelope.content.decode("ascii"), "text": text}))
        for line in text.splitlines():
            if line.startswith("{"):
                write("alerts", line)
        return "250 OK"


def authenticate(_server, _session, _envelope, _mechanism, data):
    given = f"{data.login.decode()}:{data.password.decode()}"
    return AuthResult(success=given == options.login)


context = None
if options.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls)


def make():
    return SMTP(Handler(), tls_context=context, require_starttls=context is not None,
                auth_required=options.login is not None, authenticator=authenticate,
                data_size_limit=64 << 20)


async def serve():
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", options.port)
    with open(os.path.join(options.folder, "port.new"), "w", encoding="utf-8") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    os.rename(os.path.join(options.folder, "port.new"), os.path.join(options.folder, "port"))
    await server.serve_forever()


logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # what is refused is what is tested
asyncio.run(serve())
