"""A step of the gate: ask pip-audit for known vulnerabilities of the versions that are installed.

It asks over the network. Where no answer comes, or none that knows any of these versions, one line says that the step
was skipped.
"""

import json
import re
import subprocess
import sys

COMMAND = [sys.executable, "-m", "pip_audit", "--local", "--progress-spinner=off", "--timeout=10", "--format=json"]
TIMEOUT = 120  # seconds for all versions
NO_ANSWER = re.compile(r"requests\.exceptions\.|ServiceError|your network may be blocking this service")  # its words
SKIPPED = "Skipped: no advisories can be reached from here."


def audit(*options: str) -> tuple[bool, str]:
    """Whether the gate may go on, and a line for each finding."""
    try:
        done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return True, SKIPPED
    if not done.stdout:
        return (True, SKIPPED) if NO_ANSWER.search(done.stderr) else (False, done.stderr.strip())
    packages = json.loads(done.stdout)["dependencies"]
    known = [package for package in packages if "vulns" in package]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'none'}"
        for package in known
        for flaw in package["vulns"]
    ]
    if found:
        return False, "\n".join(found)
    return True, f"No vulnerability is known of {len(known)} versions, of {len(packages)}." if known else SKIPPED


if __name__ == "__main__":
    passes, words = audit()
    sys.stdout.write(f"{words}\n")
    sys.exit(not passes)
