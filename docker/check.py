"""Checks that compose.yaml and the Dockerfile can be read, and that the programs and flags in them exist.

No container is built or run. The programs are those of CARGO_TARGET_DIR, built by the tests.
"""

import os
import pathlib
import re
import subprocess
import sys

import yaml

HERE = pathlib.Path(__file__).parent
RELEASE = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target")) / "release"
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "CMD"}


def check_compose():
    compose = yaml.safe_load((HERE / "compose.yaml").read_text())
    services = compose["services"]
    assert set(services) == {"scheduler", "executor", "shell"}, services.keys()
    for name, service in services.items():
        program, *arguments = service["command"]
        help_text = subprocess.run([RELEASE / program, "--help"], capture_output=True, text=True, check=True).stdout
        for flag in (argument for argument in arguments if argument.startswith("--")):
            assert flag in help_text, f"{name}: {program} has no flag {flag}"
        for other in service.get("depends_on", []):
            assert other in services, f"{name} depends on {other}, which is not there"
        dockerfile = HERE / service["build"]["context"] / service["build"]["dockerfile"]
        assert dockerfile.resolve() == (HERE / "Dockerfile").resolve(), f"{name}: {dockerfile}"


def check_dockerfile():
    text = re.sub(r"\\\n", " ", (HERE / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        assert line.split()[0] in INSTRUCTIONS, f"Dockerfile: {line}"
    copied = " ".join(line for line in lines if line.startswith("COPY --from=build"))
    for program in ("dbcluster", "dbcluster-scheduler", "dbcluster-executor"):
        assert f"/release/{program} " in copied, f"the image lacks {program}"


if __name__ == "__main__":
    check_compose()
    check_dockerfile()
    print("compose.yaml and Dockerfile: all well", file=sys.stderr)
