"""Check a site behind its proxy as a visitor, an attacker and a monitor. It needs only Python's standard library.

python visit.py https://webinaires.local event-slug [--sign-up ADDRESS | --during COMMAND]
"""

import argparse
import http.cookiejar
import re
import shlex
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from email.message import Message
from typing import Any

TIMEOUT = 60  # seconds
HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|stamp)" value="([^"]+)"')
FORMS_AN_HOUR = 60  # from one origin
SLOW_CLIENTS = 60
PERSON = {"first_name": "Zoë", "last_name": "D’Arcy", "organisation": "Ville", "job_title": "Cheffe de projet"}


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class Site:
    def __init__(self, address: str, slug: str) -> None:
        self.address, self.slug = address, slug
        self.host = urllib.parse.urlsplit(address).hostname or ""
        self.form = f"{address}/evenements/{slug}/inscription/"

    def browser(self) -> urllib.request.OpenerDirector:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        return urllib.request.build_opener(NoRedirects, jar)

    def answer(self, url: str, body: bytes | None = None, **headers: str) -> tuple[int, Message, str]:
        return self.ask(self.browser(), url, body, **headers)

    def ask(
        self, browser: urllib.request.OpenerDirector, url: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Message, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with browser.open(urllib.request.Request(url, body, named), timeout=TIMEOUT) as response:
                return response.status, response.headers, response.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode(errors="replace")

    def post_form(self, email: str, wait: float, **headers: str) -> tuple[int, Message, str]:
        browser = self.browser()
        _status, _headers, page = self.ask(browser, self.form)
        typed = {**PERSON, "email": email, **dict(HIDDEN.findall(page))}
        time.sleep(wait)
        body = urllib.parse.urlencode(typed).encode()
        return self.ask(browser, self.form, body, Referer=self.form, **headers)

    def connection(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self.host, 443), timeout=TIMEOUT)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def plain_http_redirects_to_https(site: Site) -> tuple[bool, object]:
    status, headers, _page = site.answer(site.form.replace("https", "http", 1))
    return (status, headers["Location"]) in {(301, site.form), (308, site.form)}, (status, headers["Location"])


def https_is_required_by_hsts(site: Site) -> tuple[bool, object]:
    _status, headers, _page = site.answer(site.form)
    return "max-age=31536000" in headers["Strict-Transport-Security"], headers["Strict-Transport-Security"]


def cookies_are_of_this_host_and_secure(site: Site) -> tuple[bool, object]:
    _status, headers, _page = site.answer(site.form)
    cookies = headers.get_all("Set-Cookie") or []
    return all(c.startswith("__Host-") and "Secure" in c and "Path=/" in c for c in cookies) and bool(cookies), [
        cookie.partition("=")[0] for cookie in cookies
    ]


def nothing_personal_is_compressed(site: Site) -> tuple[bool, object]:
    _status, headers, _page = site.answer(site.address + "/admin/login/", Accept_Encoding="gzip")
    return headers["Content-Encoding"] is None, headers["Content-Encoding"]


def a_sign_up_is_thanked(site: Site, email: str = "zoe@example.org") -> tuple[bool, object]:
    status, headers, _page = site.post_form(email, wait=2.5)
    return status == 303 and headers["Location"].endswith("/merci/"), (status, headers["Location"])


def large_bodies_are_refused_on_public_pages(site: Site) -> tuple[bool, object]:
    sizes = [
        (site.form, 300_000),
        (site.address + "/admin/login/", 300_000),
        (site.address + "/admin/login/", 27 << 20),
    ]
    statuses = [_status_of_large(site, url, size) for url, size in sizes]
    return statuses == [413, 403, 413], statuses


def _status_of_large(site: Site, url: str, size: int) -> int | str:
    try:
        return site.answer(url, b"a=" + b"a" * size)[0]
    except OSError as error:  # refused so early that the connection was closed before the whole body was sent
        return 413 if "Broken pipe" in str(error) or "reset" in str(error) else str(error)


def a_forged_origin_does_not_avoid_the_limit(site: Site) -> tuple[bool, object]:
    """Each form has another forged X-Forwarded-For; all count for the address that the proxy saw."""
    statuses = [
        site.post_form("no address", wait=0, X_Forwarded_For=f"203.0.113.{number}")[0]
        for number in range(FORMS_AN_HOUR + 5)
    ]
    return statuses[-1] == 429 and 429 not in statuses[:30], f"429 from form {statuses.index(429) + 1} on" if (
        429 in statuses
    ) else statuses[-1]


def slow_clients_do_not_block_others(site: Site) -> tuple[bool, object]:
    head = f"POST /evenements/{site.slug}/inscription/ HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 900\r\n\r\n"
    slow = [site.connection() for _ in range(SLOW_CLIENTS)]
    for connection in slow:
        connection.sendall(head.encode())
    times = []
    for _ in range(40):
        for connection in slow:
            connection.send(b"a")
        begun = time.monotonic()
        status, _headers, _page = site.answer(site.address + "/accessibilite/")
        times.append(time.monotonic() - begun if status == 200 else TIMEOUT)
    for connection in slow:
        connection.close()
    median = statistics.median(times)
    return max(times) < 5, f"{1000 * median:.0f} ms median, {1000 * max(times):.0f} ms at most"


CHECKS: list[Callable[[Site], tuple[bool, object]]] = [
    plain_http_redirects_to_https,
    https_is_required_by_hsts,
    cookies_are_of_this_host_and_secure,
    nothing_personal_is_compressed,
    a_sign_up_is_thanked,
    large_bodies_are_refused_on_public_pages,
    slow_clients_do_not_block_others,
    a_forged_origin_does_not_avoid_the_limit,
]


def check_no_error_during(site: Site, command: str) -> bool:
    """Request the event's page continuously while the command runs, and for five seconds after."""
    statuses: list[int | str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                statuses.append(site.answer(f"{site.address}/evenements/{site.slug}/")[0])
            except OSError as error:
                statuses.append(type(error).__name__)

    visitors = [threading.Thread(target=ask) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        subprocess.run(shlex.split(command), check=True)
        time.sleep(5)
    finally:
        done.set()
        for visitor in visitors:
            visitor.join()
    found = {status: statuses.count(status) for status in set(statuses)}
    sys.stdout.write(f"{'ok' if set(found) == {200} else 'FAILED':<7}answers during {command!r}: {found}\n")
    return set(found) == {200}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("slug")
    parser.add_argument("--sign-up", default="", metavar="ADDRESS", help="Only sign up.")
    parser.add_argument("--during", default="", help="A command; nobody may see an error meanwhile.")
    options = parser.parse_args()
    site = Site(options.address, options.slug)
    if options.sign_up:
        return 0 if a_sign_up_is_thanked(site, options.sign_up)[0] else 1
    if options.during:
        return 0 if check_no_error_during(site, options.during) else 1
    failed = 0
    for check in CHECKS:
        holds, seen = check(site)
        failed += not holds
        sys.stdout.write(f"{'ok' if holds else 'FAILED':<7}{check.__name__.replace('_', ' '):<48}{seen}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
