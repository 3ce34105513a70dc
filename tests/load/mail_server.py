"""An SMTP server (RFC 5321) in its own process, which causes faults and can be killed at any time.

It answers 250 only after the mail is on disk, in `--journal`: one JSON object per line. It uses only the standard
library, so that it restarts quickly after a kill. It is started by its path, not as a module.
"""

import argparse
import asyncio
import contextlib
import email
import json
import os
import random
import re
import time
from email import policy
from pathlib import Path

HOST = "127.0.0.1"
LARGEST = 64 * 1024 * 1024  # bytes of one mail
SLOW = (0.2, 2.0)  # seconds
CLOSING = "421 4.3.2 closing"
FULL = "450 4.2.2 mailbox full"
TRY_AGAIN = "451 4.3.0 try again later"
CLOSED_BEFORE = "closed before DATA"
CUT_KEPT = "cut after the dot, mail kept"
CUT_DROPPED = "cut after the dot, mail dropped"
SLOW_ANSWER = "slow answer"
FAULTS = [CLOSING, FULL, TRY_AGAIN, CLOSED_BEFORE, CUT_KEPT, CUT_DROPPED, SLOW_ANSWER]
AMBIGUOUS = {CUT_KEPT, CUT_DROPPED}


class HangUp(Exception):
    """Close the connection without an answer."""


class Journal:
    """Lines on disk that remain after kill -9 of this process. Without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self.file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.write("")  # ends an incomplete line of a killed process

    def note(self, **entry: object) -> None:
        self.write(json.dumps({"at": time.time(), **entry}))

    def write(self, line: str) -> None:
        if self.file is not None:
            os.write(self.file, f"{line}\n".encode())
            os.fsync(self.file)


class Server:
    def __init__(self, journal: Journal, faults_while: Path | None, rate: float, seed: int) -> None:
        self.journal, self.faults_while, self.rate = journal, faults_while, rate
        self.random = random.Random(seed)  # noqa: S311 - for repeatable runs, not a secret

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Conversation(self, reader, writer).run()
        except (HangUp, ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    def fault(self) -> str:
        """The fault for the mail that begins now; mostly none."""
        at_peace = self.faults_while is None or not self.faults_while.exists()
        return "" if at_peace or self.random.random() >= self.rate else self.random.choice(FAULTS)


class Conversation:
    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.fault = self.recipient = ""

    async def run(self) -> None:
        await self.say("220 ready")
        while line := await self.reader.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                return await self.say("221 bye")
            await self.answer(verb, line)
        return None

    async def answer(self, verb: bytes, line: bytes) -> None:
        match verb:
            case b"EHLO":
                await self.say(f"250-{HOST}\r\n250-8BITMIME\r\n250 SIZE {LARGEST}")
            case b"MAIL":
                self.fault = self.server.fault()
                await self.say("250 OK", unless=CLOSING)
            case b"RCPT":
                self.hang_up_if(CLOSED_BEFORE)
                self.recipient = re.findall(rb"<([^>]*)>", line)[0].decode()
                await self.say("250 OK", unless=FULL)
            case b"DATA":
                await self.say("354 go on")
                await self.take(await self.reader.readuntil(b"\r\n.\r\n"))
            case _:
                await self.say("250 OK")

    async def take(self, content: bytes) -> None:
        """Store the mail, then answer. Nothing is awaited in between, so a kill leaves at most one mail ambiguous."""
        self.hang_up_if(CUT_DROPPED)
        if self.fault == SLOW_ANSWER:
            self.play()
            await asyncio.sleep(self.server.random.uniform(*SLOW))
        if self.fault != TRY_AGAIN:
            headers = email.message_from_bytes(content.partition(b"\r\n\r\n")[0], policy=policy.default)
            self.server.journal.note(
                kept=self.recipient, to=str(headers["To"]), message_id=str(headers["Message-ID"]), size=len(content)
            )
        self.hang_up_if(CUT_KEPT)
        await self.say("250 OK", unless=TRY_AGAIN)

    async def say(self, line: str, *, unless: str = "") -> None:
        if unless and self.fault == unless:
            self.play()
            line = unless
        self.writer.write(f"{line}\r\n".encode())
        await self.writer.drain()
        if line == CLOSING:
            raise HangUp

    def hang_up_if(self, fault: str) -> None:
        if self.fault == fault:
            self.play()
            raise HangUp

    def play(self) -> None:
        self.server.journal.note(fault=self.fault)


async def serve(server: Server, host: str, port: int) -> None:
    listening = await asyncio.start_server(server.converse, host, port, limit=LARGEST)
    async with listening:
        await listening.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, help="Where accepted mails and faults are noted.")
    parser.add_argument("--faults-while", type=Path, help="Misbehave as long as this file exists.")
    parser.add_argument("--rate", type=float, default=0.2, help="Share of mails that meet a fault.")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    server = Server(Journal(options.journal), options.faults_while, options.rate, options.seed)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server, options.host, options.port))


if __name__ == "__main__":
    main()
