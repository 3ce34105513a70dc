"""Follow the commands for containers (deploy/README.md) literally, on this machine's engine, with Caddy and TLS.

    sudo uv run python -m tests.deploy.containers FOLDER

Needs root, `docker` with its `compose`, `caddy`, and the ports 80, 443 and 8000 of this machine. The engine has the
two base images or can pull them. The substitutes are those of `tests.deploy.follow`.
"""

import argparse
import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.guide import ROOT, SITE, as_followed, commands
from tests.deploy.trial import DUPLICATE_KEY, MAIL_PORT, PERSONAL_DATA, MailServer, Trial, say

VISIT = Path(__file__).with_name("visit.py")
TIMEOUT = 120  # seconds, for the health check
BRIDGE = ["ip", "-json", "-4", "address", "show", "docker0"]
EDITOR = """#!/bin/sh
sed -i 's|^BASE_URL=.*|BASE_URL=https://{site}|' "$1"
sed -i 's|^EMAIL_URL=.*|EMAIL_URL=smtp://{mail_server}|' "$1"
sed -i 's|^LEGAL_CONTACT=.*|LEGAL_CONTACT=donnees@example.org|' "$1"
"""
HEALTH = "docker inspect --format '{{.State.Health.Status}}' webinar-web-1"
INSIDE = """
grep -q "^CapEff:.*0000000000000000" /proc/1/status && grep -q "^NoNewPrivs:.*1" /proc/1/status
[ "$(id -u)" = 10001 ] && ls /var/lib/webinar/reports/*.pdf
if touch /opt/x 2>/dev/null; then exit 1; fi
"""
NO_SECRET = """
if docker history --no-trunc --format '{{.CreatedBy}}' webinar | grep -iE 'secret|password'; then exit 1; fi
"""
CHECK_LOGS = f"""set -e
docker compose exec -T database psql -U webinar -qc "{DUPLICATE_KEY}" 2>/dev/null || true
docker compose logs --no-color >logs
grep -q 'duplicate key' logs
if grep -E '{PERSONAL_DATA}' logs; then exit 1; fi
"""
KILL = "kill -9 $(docker inspect --format '{{.State.Pid}}' webinar-worker-1 webinar-web-1); sleep 3"


class Containers(Trial):
    def __init__(self, folder: Path, mails: MailServer) -> None:
        super().__init__(mails)
        self.folder = folder
        self.install, self.backup, self.restore_commands, self.upgrade = (
            as_followed(block) for heading, block in commands("shell") if heading == "In containers"
        )

    def run(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-c", text], cwd=self.folder / "source" / "deploy", stdout=subprocess.PIPE, text=True, check=True
        )
        sys.stdout.write(done.stdout)
        return done.stdout

    def manage(self, arguments: str) -> str:
        return self.run(f"docker compose exec -T web python manage.py {arguments}")

    def visit(self, arguments: str = "") -> None:
        authority = self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        self.run(f"SSL_CERT_FILE={authority} {sys.executable} {VISIT} https://{SITE} {self.slug} {arguments}")

    def back_up(self) -> None:
        self.run(self.backup)

    def restore(self) -> None:
        self.run(self.restore_commands)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        end = time.monotonic() + TIMEOUT
        while self.run(HEALTH).strip() != "healthy":
            if time.monotonic() > end:
                raise SystemExit("FAILED the health check")
            time.sleep(2)
        say("the health check says healthy")

    def follow(self) -> None:
        self.run(f"cd .. && {self.install}")
        self.wait_until_healthy()
        self.load_event()
        self.check_restore()
        self.check_site()
        self.run(f"docker compose exec -T web sh -ec {shlex.quote(INSIDE)}")
        self.run(NO_SECRET)
        say("no right, no file to write to, no secret in the image, and a document was typeset all the same")
        self.run(CHECK_LOGS)
        say("no address or origin in the logs of the containers")
        self.run(KILL)
        self.wait_until_healthy()
        self.run(self.upgrade)
        self.wait_until_healthy()
        self.manage("status")


@contextlib.contextmanager
def caddy(folder: Path) -> Iterator[None]:
    text = (ROOT / "deploy" / "Caddyfile").read_text("utf-8").replace("webinaires.example.org", SITE)
    path = folder / "Caddyfile"
    path.write_text(text.replace("\n{\n", "\n{\n\tskip_install_trust\n", 1))
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "caddy.log").open("w") as log:
        command = ["caddy", "run", "--adapter", "caddyfile", "--config"]
        process = subprocess.Popen([*command, path], env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def address_of_the_bridge() -> str:
    """The address of this machine in the network of the containers, on which the mail server listens."""
    [link] = json.loads(subprocess.check_output(BRIDGE))
    return str(link["addr_info"][0]["local"])


def resolve_site_name(folder: Path) -> None:
    """Resolve the name of the site, for this process and its children only."""
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {SITE}\n")
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def add_editor_substitute(folder: Path, mail_server: str) -> None:
    editor = folder / "bin" / "editor"
    editor.parent.mkdir()
    editor.write_text(EDITOR.format(site=SITE, mail_server=mail_server))
    editor.chmod(0o755)
    os.environ["PATH"] = f"{editor.parent}:{os.environ['PATH']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="A new folder, for the code and the logs.")
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "source"], check=True)
    resolve_site_name(folder)
    bridge = address_of_the_bridge()
    add_editor_substitute(folder, f"{bridge}:{MAIL_PORT}")
    mails = MailServer(folder / "mails", bridge)
    trial = Containers(folder, mails)
    with mails.running(), caddy(folder):
        try:
            trial.follow()
        finally:
            trial.run("docker compose down --volumes")


if __name__ == "__main__":
    main()
