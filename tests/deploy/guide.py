"""The commands of the server guide (deploy/README.md), read from it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = "webinaires.local"
PRELUDE = f"""set -euxo pipefail
export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt
export DEBIAN_FRONTEND=noninteractive DJANGO_SUPERUSER_PASSWORD=a-long-enough-password
SITE={SITE} SOURCE=/srv/source OLD=$(ls -d /opt/webinar-* 2>/dev/null | head -n 1 || true)
"""
TRUST_CADDY = """
authority=/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt
until [ -s $authority ]; do sleep 1; done
cp $authority /usr/local/share/ca-certificates/trial.crt && update-ca-certificates >/dev/null 2>&1
"""
ACCOUNT = "createsuperuser --noinput --username camille --email camille@example.org"
SUBSTITUTIONS = {
    r"^SITE=.*$": f"SITE={SITE} SOURCE=/srv/source",
    r"^caddy validate .*$": r"\g<0>" + TRUST_CADDY,
    r"^webinar createsuperuser": f"webinar {ACCOUNT}",
    r"run --rm web createsuperuser": f"run --rm -e DJANGO_SUPERUSER_PASSWORD web {ACCOUNT}",
}


def commands(*languages: str) -> list[tuple[str, str]]:
    """(heading, code block) of the guide's blocks in these languages, in order."""
    guide = (ROOT / "deploy" / "README.md").read_text("utf-8").partition("\n## On a server\n")[2].partition("\n## ")[0]
    found, heading = [], ""
    for match in re.finditer(r"^### ([^\n]+)$|^```(\w+)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        heading = match[1] or heading
        if match[2] in languages:
            found.append((heading, match[3]))
    return found


def script(under: str, *choices: str) -> str:
    """The commands under one heading, as one shell script, so that they share their variables.

    `choices`: optional blocks to include, by the language after their fence, such as « nginx ».
    """
    return as_followed("\n".join(block for heading, block in commands("sh", *choices) if heading == under))


def as_followed(text: str) -> str:
    for pattern, replacement in SUBSTITUTIONS.items():
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return PRELUDE + text
