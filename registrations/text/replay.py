"""The address of a player that shows a recording inside a page, on the hosts that the operator allows."""

import re
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

YOUTUBE, VIMEO = "www.youtube-nocookie.com", "player.vimeo.com"
YOUTUBE_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be", YOUTUBE}
VIMEO_HOSTS = {"vimeo.com", "www.vimeo.com", VIMEO}
YOUTUBE_ID = re.compile(r"/(?:embed/|live/|shorts/)?([\w-]{11})/?\Z")
VIMEO_ID = re.compile(r"/(?:video/)?(\d+)(?:/(\w+))?/?\Z")
PEERTUBE_ID = re.compile(r"/(?:w|videos/watch|videos/embed)/([\w-]{20,40})/?\Z")


def player(address: str) -> str:
    """Empty where only a link may stand."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    query = parse_qs(parts.query)
    if host in YOUTUBE_HOSTS:
        return _allowed(YOUTUBE, _youtube(parts.path, query))
    if host in VIMEO_HOSTS:
        return _allowed(VIMEO, _vimeo(parts.path, query))
    found = PEERTUBE_ID.match(parts.path)
    return _allowed(host, f"/videos/embed/{found[1]}?p2p=0" if found else "")


def origin(player_address: str) -> str:
    """For the policy of the page that shows it."""
    return f"https://{urlsplit(player_address).hostname}"


def _allowed(host: str, path: str) -> str:
    return f"https://{host}{path}" if path and host in settings.REPLAY_HOSTS else ""


def _youtube(path: str, query: dict[str, list[str]]) -> str:
    found = YOUTUBE_ID.match("/" + query["v"][0] if path == "/watch" and "v" in query else path)
    return f"/embed/{found[1]}" if found else ""


def _vimeo(path: str, query: dict[str, list[str]]) -> str:
    found = VIMEO_ID.match(path)
    if not found:
        return ""
    unlisted = found[2] or query.get("h", [""])[0]
    key = f"&h={unlisted}" if re.fullmatch(r"\w+", unlisted) else ""
    return f"/video/{found[1]}?dnt=1{key}"
