"""Visitors who sign up with a browser, and try again after errors.

A sign-up is promised when, and only when, its browser showed the thank-you page.
"""

import http.client
import http.cookiejar
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from random import Random

TIMEOUT = 60  # seconds for one page
TRIES = 10  # of one visitor
PAUSE = (0.3, 1.5)  # seconds between two tries
HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|stamp)" value="([^"]+)"')


@dataclass
class Memory:
    """What all visitors did and saw."""

    posts: Counter[str] = field(default_factory=Counter)  # by address
    posted_at: dict[str, float] = field(default_factory=dict)  # the POST that led to the thank-you page
    answers: Counter[str] = field(default_factory=Counter)  # what the browser showed
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def promised(self) -> set[str]:
        return set(self.posted_at)


class Visitors:
    def __init__(self, slug: str, sites: list[str], *, sign_ups: int, threads: int, pause: float, seed: int) -> None:
        self.path, self.sites, self.pause = f"/evenements/{slug}/inscription/", sites, pause
        self.memory = Memory()
        addresses = [f"visitor{number}.{seed}@example.org" for number in range(sign_ups)]
        self.threads = [
            threading.Thread(target=self._come, args=(addresses[first::threads], Random(f"{seed} {first}")))  # noqa: S311
            for first in range(threads)
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    @property
    def are_there(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    def _come(self, addresses: list[str], random: Random) -> None:
        for address in addresses:
            time.sleep(random.uniform(0, self.pause))
            for _ in range(TRIES):
                if self._sign_up(address, random):
                    break
                time.sleep(random.uniform(*PAUSE))

    def _sign_up(self, address: str, random: Random) -> bool:
        """One try with a new browser; returns whether the thank-you page was shown."""
        posted_at = 0.0
        try:
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
            form_url = random.choice(self.sites) + self.path
            with browser.open(form_url, timeout=TIMEOUT) as page:
                hidden = dict(HIDDEN.findall(page.read().decode()))
            posted_at = time.time()
            with self.memory.lock:
                self.memory.posts[address] += 1
            with browser.open(form_url, _typed(address, hidden), timeout=TIMEOUT) as page:
                shown, url = page.read().decode(), page.url
        except urllib.error.HTTPError as error:
            error.close()
            return self._remember(f"{error.code} {'after' if posted_at else 'before'} the POST")
        except (OSError, http.client.HTTPException):
            return self._remember(f"no answer {'after' if posted_at else 'before'} the POST")
        if not url.endswith("/merci/") or address not in shown:
            return self._remember("another page")
        with self.memory.lock:
            self.memory.posted_at[address] = posted_at
        self._remember("thanks")
        return True

    def _remember(self, answer: str) -> bool:
        with self.memory.lock:
            self.memory.answers[answer] += 1
        return False


def _typed(address: str, hidden: dict[str, str]) -> bytes:
    answers = {
        "first_name": "Zoë",
        "last_name": "D’Arcy",
        "email": address,
        "organisation": "Ville de Nulle-Part",
        "job_title": "Cheffe de projet",
        **hidden,
    }
    return urllib.parse.urlencode(answers).encode()
