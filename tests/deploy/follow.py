"""Follow the README's guide literally: its own commands, on a fresh Debian 13 with systemd as its first process.

    sudo uv run python -m tests.deploy.follow FOLDER [--source REPOSITORY]

Needs root, `debootstrap`, `systemd-container`, and the ports 80, 443 and 8000 of this machine. Three things stand in
for what a trial cannot have: `certbot` makes a certificate of its own, `editor` fills in the settings, and the answers
of `createsuperuser` come from the environment. Mails go to a server of the trial on loopback.
"""

import argparse
import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
VISIT = Path(__file__).with_name("visit.py")
AUTHORITIES = Path("/usr/local/share/ca-certificates")  # what the network of this machine asks for besides
MAIL_SERVER = ROOT / "tests" / "load" / "mail_server.py"

SITE = "webinaires.test"
DEBIAN = "trixie"
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,iproute2"
MAIL_PORT = 2525
STAND_INS = {
    "certbot": """#!/bin/sh
folder=/etc/letsencrypt/live/{site}
mkdir -p $folder && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={site} \\
  -addext subjectAltName=DNS:{site} -keyout $folder/privkey.pem -out $folder/fullchain.pem 2>/dev/null
cp $folder/fullchain.pem /usr/local/share/ca-certificates/trial.crt && update-ca-certificates >/dev/null 2>&1
""",
    "editor": """#!/bin/sh
sed -i 's|^EMAIL_URL=.*|EMAIL_URL=smtp://127.0.0.1:{mail_port}|' "$1"
sed -i 's|^LEGAL_CONTACT=.*|LEGAL_CONTACT=donnees@example.org|' "$1"
""",
}
PRELUDE = """set -euxo pipefail
export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt
export DEBIAN_FRONTEND=noninteractive DJANGO_SUPERUSER_PASSWORD=a-long-enough-password
SITE={site} SOURCE=/srv/source OLD=$(ls -d /opt/webinar-* 2>/dev/null | head -n 1 || true)
"""
SLUG = "from registrations.models import Event; print(Event.objects.get().slug)"
LOGS_HOLD_NOTHING = """set -eu
curl -fsS -o /dev/null -w '%{{http_code}}\\n' https://{site}/rejoindre/abcdefghijklmnopqrstuv/ || true
systemctl stop webinar-web.socket webinar-web
curl -sS -o /dev/null https://{site}/mon-inscription/abcdefghijklmnopqrstuv/
systemctl start webinar-web.socket webinar-web
sleep 2
if cat /var/log/nginx/*.log | grep -E 'abcdefghijkl|127\\.0\\.0\\.1|zoe@'; then exit 1; fi
if journalctl -u 'webinar-*' | grep -E 'abcdefghijkl|zoe@'; then exit 1; fi
echo 'ok     no code, address or origin in any log'
"""
SUBSTITUTIONS = {
    r"^SITE=.*$": "SITE={site} SOURCE=/srv/source",
    "webinar createsuperuser": "webinar createsuperuser --noinput --username camille --email camille@example.org",
}


def commands(*languages: str) -> list[tuple[str, str]]:
    """The code blocks of the guide in these languages, in order, each with the heading that it stands under."""
    guide = (ROOT / "README.md").read_text("utf-8").partition("\n## On a server\n")[2].partition("\n## ")[0]
    found, heading = [], ""
    for match in re.finditer(r"^### ([^\n]+)$|^```(\w+)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        heading = match[1] or heading
        if match[2] in languages:
            found.append((heading, match[3]))
    return found


def script(under: str, language: str = "sh") -> str:
    """The commands under one heading, in one shell that keeps its variables, as a person's does."""
    text = "\n".join(block for heading, block in commands(language) if heading == under)
    for pattern, replacement in SUBSTITUTIONS.items():
        text = re.sub(pattern, replacement.format(site=SITE), text, flags=re.MULTILINE)
    return PRELUDE.format(site=SITE) + text


class Machine:
    """A Debian of our own in a folder, booted by systemd-nspawn; it shares this machine's network."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, base: Path | None) -> None:
        if base:
            subprocess.run(["cp", "-a", base, self.root], check=True)
            return
        subprocess.run(["debootstrap", f"--include={PACKAGES}", DEBIAN, self.root], check=True)

    def prepare(self, source: Path) -> None:
        shutil.copytree(source, self.root / "srv" / "source", symlinks=True)
        shutil.copytree(AUTHORITIES, self.root / AUTHORITIES.relative_to("/"), dirs_exist_ok=True)
        subprocess.run(["chroot", self.root, "update-ca-certificates"], check=True, stdout=subprocess.DEVNULL)
        hosts = self.root / "etc" / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {SITE}\n")
        for name, text in STAND_INS.items():
            path = self.root / "usr" / "local" / "sbin" / name
            path.write_text(text.format(site=SITE, mail_port=MAIL_PORT))
            path.chmod(0o755)

    @contextlib.contextmanager
    def booted(self) -> Iterator[None]:
        command = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--resolv-conf=copy-host", "-b", "-D"]
        with (self.root.parent / "console.log").open("w") as log:
            nspawn = subprocess.Popen([*command, self.root], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.init = self._first_process(nspawn.pid)
            self.run("until systemctl is-system-running --wait | grep -E 'running|degraded'; do sleep 1; done")
            yield
        finally:
            self.run("systemctl poweroff", check=False)
            nspawn.wait(timeout=120)

    def _first_process(self, nspawn: int) -> str:
        children = Path(f"/proc/{nspawn}/task/{nspawn}/children")
        for _ in range(100):
            if pids := children.read_text().split():
                time.sleep(3)
                return pids[0]
            time.sleep(0.1)
        raise SystemExit("The machine did not start: see console.log.")

    def run(self, text: str, *, check: bool = True) -> str:
        inside = ["nsenter", "-t", self.init, "-m", "-u", "-i", "-p", "-C", "-r", "-w", "env", "-i", "HOME=/root"]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
        done = subprocess.run([*inside, path, "bash", "-c", text], stdout=subprocess.PIPE, text=True)
        sys.stdout.write(done.stdout)
        if check:
            done.check_returncode()
        return done.stdout


@contextlib.contextmanager
def mail_server(journal: Path) -> Iterator[None]:
    command: list[str | Path] = [
        sys.executable,
        MAIL_SERVER,
        "--port",
        str(MAIL_PORT),
        "--journal",
        journal,
        "--rate",
        "0",
    ]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def follow(machine: Machine) -> None:
    machine.run(script("Install"))
    machine.run("webinar load_event /opt/webinar/registrations/fixtures/first_event.toml")
    [slug] = machine.run("webinar shell --no-imports -v0 -c " + shlex.quote(SLUG)).split()
    shutil.copy(VISIT, machine.root / "opt" / "visit.py")
    visit = f"/opt/webinar/.venv/bin/python /opt/visit.py https://{SITE} {slug}"
    machine.run(visit)
    machine.run(
        "set -e; ls /var/lib/webinar/reports/*.pdf; echo 'ok     a document was typeset under the limits of the unit'"
    )
    machine.run(LOGS_HOLD_NOTHING.format(site=SITE))
    for heading, name in (("Upgrade", "upgrade"), ("Roll back", "roll-back")):
        (machine.root / "opt" / name).write_text(script(heading))
        machine.run(f"{visit} --during 'bash /opt/{name}'")
    machine.run("systemctl start webinar-backup.service && ls -l /var/lib/webinar/backups")
    machine.run("systemctl stop webinar-web.socket webinar-web webinar-worker")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="A new folder, for the machine and its logs.")
    parser.add_argument("--source", type=Path, help="A repository to clone; without it this one as last committed.")
    parser.add_argument("--base", type=Path, help="A Debian that debootstrap has made before.")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    source = options.source or options.folder / "source"
    if not options.source:
        subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
    machine = Machine(options.folder / "machine")
    machine.make(options.base)
    machine.prepare(source)
    with machine.booted(), mail_server(options.folder / "mails"):
        follow(machine)


if __name__ == "__main__":
    main()
