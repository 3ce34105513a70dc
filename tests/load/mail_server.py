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
SLOWLY, REFUSES_FOR_NOW, REFUSES_SENDER, REFUSES_ALL = (
    "slow",
    "4xx for all",
    "5xx for the sender",
    "5xx for each mailbox",
)
CLOSES_BEFORE_MAIL, CLOSES_AFTER_DATA, DROPS_TLS = "closes before MAIL", "closes after DATA", "drops TLS"
WRONG_PASSWORD, GREYLISTS = "wrong password", "greylisting"
SLOW_STEP = 1.0  # seconds
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
    def __init__(
        self, journal: Journal, faults_while: Path | None, rate: float, seed: int, mood_file: Path | None
    ) -> None:
        self.journal, self.faults_while, self.rate, self.mood_file = journal, faults_while, rate, mood_file
        self.asked: set[str] = set()  # recipients that a greylist knows
        self.random = random.Random(seed)  # noqa: S311 - for repeatable runs, not a secret

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Conversation(self, reader, writer).run()
        except (HangUp, ConnectionError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    @property
    def mood(self) -> str:
        """What it does to all mails alike, until the file says otherwise."""
        return self.mood_file.read_text() if self.mood_file and self.mood_file.exists() else ""

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
        match verb, self.server.mood:
            case _, mood if mood == SLOWLY:
                await asyncio.sleep(SLOW_STEP)
            case b"MAIL", mood if mood == CLOSES_BEFORE_MAIL:
                raise HangUp
            case b"STAR", _:
                raise HangUp  # it has no certificate
            case b"AUTH", mood:
                return await self.say("535 5.7.8 wrong password" if mood == WRONG_PASSWORD else "235 welcome")
            case b"MAIL", mood if mood == REFUSES_FOR_NOW:
                return await self.say(TRY_AGAIN)
            case b"MAIL", mood if mood == REFUSES_SENDER:
                return await self.say("554 5.7.1 your account is closed")
            case b"RCPT", mood if mood == REFUSES_ALL:
                return await self.say("550 5.1.1 no such mailbox")
            case b"RCPT", mood if mood == GREYLISTS and line.decode() not in self.server.asked:
                self.server.asked.add(line.decode())
                return await self.say("450 4.7.1 greylisted")
        return await self.follow(verb, line)

    async def follow(self, verb: bytes, line: bytes) -> None:
        match verb:
            case b"EHLO":
                extensions = ["8BITMIME", "AUTH PLAIN", *(["STARTTLS"] if self.server.mood == DROPS_TLS else [])]
                await self.say("\r\n".join(f"250-{each}" for each in [HOST, *extensions]) + f"\r\n250 SIZE {LARGEST}")
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
        if self.server.mood == CLOSES_AFTER_DATA:
            raise HangUp
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
    parser.add_argument("--mood-file", type=Path, help="Says what it does to all mails alike.")
    parser.add_argument("--rate", type=float, default=0.2, help="Share of mails that meet a fault.")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    server = Server(Journal(options.journal), options.faults_while, options.rate, options.seed, options.mood_file)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server, options.host, options.port))


if __name__ == "__main__":
    main()
