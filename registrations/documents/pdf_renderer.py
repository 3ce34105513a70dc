"""The child process that turns the HTML on its standard input into PDF/UA-1 on its standard output.

It runs alone, without Django, under limits on CPU and memory, and can fetch nothing: fonts and images come in as
data: URIs. What it cannot do cannot be asked of it by a text typed in the admin. On its standard error it tells which
of WeasyPrint's seven steps it has come to, and at the end what went wrong.
"""

import logging
import resource
import sys

CPU_SECONDS = 15
MEMORY_BYTES = 1_200_000_000
MAX_PAGES = 200


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    import weasyprint
    from weasyprint.urls import URLFetcher

    steps = logging.getLogger("weasyprint.progress")
    steps.addHandler(logging.StreamHandler(sys.stderr))
    steps.setLevel(logging.INFO)
    html = weasyprint.HTML(string=sys.stdin.read(), url_fetcher=URLFetcher(allowed_protocols={"data"}))
    document = html.render(pdf_variant="pdf/ua-1", pdf_tags=True)
    if len(document.pages) > MAX_PAGES:
        sys.exit(f"The document has {len(document.pages)} pages; {MAX_PAGES} is the limit.")
    sys.stdout.buffer.write(document.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True))


if __name__ == "__main__":
    main()
