"""The child process that turns HTML documents on its standard input into PDF/UA-1 on its standard output.

Each document is preceded by its length in eight bytes, in both directions. The process runs without Django, under
limits on CPU time and memory, and cannot fetch anything: fonts and images are data: URIs. So a text typed in the admin
cannot make it read a file or a URL. On standard error it writes WeasyPrint's steps, of which each document has seven,
and at the end the error if there is one.

A style sheet with its fonts, seven eighths of the CPU time of a certificate, is read once for all documents with it.
"""

import functools
import logging
import resource
import sys

CPU_SECONDS = 15
LENGTH = 8  # bytes
MEMORY_BYTES = 1_200_000_000
MAX_PAGES = 200


def main() -> None:
    memory = allowed(resource.RLIMIT_AS, MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    limit_cpu()
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    steps = logging.getLogger("weasyprint.progress")
    steps.addHandler(logging.StreamHandler(sys.stderr))
    steps.setLevel(logging.INFO)
    fonts = FontConfiguration()
    fetcher = URLFetcher(allowed_protocols={"data"})

    @functools.cache
    def style_sheet(text: str) -> weasyprint.CSS:
        return weasyprint.CSS(string=text, font_config=fonts, url_fetcher=fetcher)

    while length := sys.stdin.buffer.read(LENGTH):
        limit_cpu()
        source = sys.stdin.buffer.read(int.from_bytes(length)).decode()
        before, _start, after = source.partition("<style>")
        style, _end, after = after.partition("</style>")
        html = weasyprint.HTML(string=before + after, url_fetcher=fetcher)
        document = html.render(
            stylesheets=[style_sheet(style)], font_config=fonts, pdf_variant="pdf/ua-1", pdf_tags=True
        )
        if len(document.pages) > MAX_PAGES:
            sys.exit(f"The document has {len(document.pages)} pages; {MAX_PAGES} is the limit.")
        content = document.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True)
        sys.stdout.buffer.write(len(content).to_bytes(LENGTH) + content)


def limit_cpu(more: int = CPU_SECONDS) -> None:
    """End this process after `more` seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = allowed(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + more)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def allowed(what: int, most: int) -> int:
    """`most`, or less where the machine allows less: to ask for more would be refused."""
    _soft, hard = resource.getrlimit(what)
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


if __name__ == "__main__":
    main()
