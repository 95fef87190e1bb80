"""Run the `schemathesis` command against a site: every phase, every check, as one of its identities."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Report:
    """How a run ended, what it printed, and how many requests it made up."""

    code: int
    text: str

    @property
    def cases(self):
        found = re.search(r"([0-9,]+) generated", self.text)
        return int(found.group(1).replace(",", "")) if found else 0


def fuzz(site, schema_file, *, identity, password, examples, paths="", seed=1):
    """Try the whole API, or the part with such paths, with so many examples an operation and phase."""
    folder = schema_file.parent
    config = folder / "schemathesis.toml"
    config.write_text('hooks = "hooks"\n', encoding="utf-8")
    token = site.tokens[identity]
    header = ["--header", f"Authorization: Bearer {token}"] if token else []
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", str(schema_file), "--url", site.url, *header),
            *("--phases", ",".join(PHASES), "--checks", "all", "--max-examples", str(examples)),
            *("--exclude-checks", "positive_data_acceptance"),  # ours asks more precisely (see `hooks.py`)
            *(["--include-path-regex", paths] if paths else []),
            *("--seed", str(seed), "--continue-on-failure", "--suppress-health-check", "all"),
            *("--no-color", "--request-timeout", "30", "--warnings", "off"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(HERE),
            "FUZZ_PASSWORD": password,
            "FUZZ_SECRETS": " ".join([password, *filter(None, site.tokens.values())]),
        },
    )
    return Report(ran.returncode, f"{ran.stdout}\n{ran.stderr}")
