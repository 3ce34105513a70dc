"""The child process that turns the HTML on its standard input into PDF/UA-1 on its standard output.

It runs without Django, under limits on CPU time and memory, and cannot fetch anything: fonts and images are data:
URIs. So a text typed in the admin cannot make it read a file or a URL. On standard error it writes WeasyPrint's steps,
of which there are seven, and at the end the error if there is one.
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
