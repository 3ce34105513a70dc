from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.wsgi import get_wsgi_application

HOST = "127.0.0.1"
THREADS = 8
MAX_HEADER_BYTES = 32_768
CHANNEL_TIMEOUT = 60  # seconds


class Command(BaseCommand):
    help = "Run one web server process on 127.0.0.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--demo", action="store_true", help="Open /outbox/; `manage.py demo` says so, nothing else."
        )

    def handle(self, *args: Any, port: int, demo: bool, **options: Any) -> None:
        if demo and not settings.PUBLIC:
            settings.ROOT_URLCONF = "webinar.demo_urls"
        if settings.TRUSTED_PROXY_COUNT:
            proxy = {
                "trusted_proxy": HOST,
                "trusted_proxy_count": settings.TRUSTED_PROXY_COUNT,
                "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
            }
        else:
            proxy = {}
        waitress.serve(
            get_wsgi_application(),
            host=HOST,
            port=port,
            threads=THREADS,
            ident=None,
            max_request_header_size=MAX_HEADER_BYTES,
            channel_timeout=CHANNEL_TIMEOUT,
            connection_limit=1000,
            **proxy,
        )
