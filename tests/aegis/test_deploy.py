"""The site as it is deployed: gunicorn with collected files, and the samples for systemd, nginx and Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
import requests
import yaml
from django.core.management import get_commands

from aegis import checks
from tests.programs import first_answer, own_address, running

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
#: Whatever tells somebody to run something.
FILES = sorted(
    [
        *(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc"),
        *(ROOT / "docs").glob("*.md"),
        *(
            ROOT / name
            for name in ("Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".env.example")
        ),
    ]
)


def environment(folder, **more):
    """Return the variables of an owner whose site is open to others, and nothing of this machine's."""
    plain = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **plain,
        "HOME": str(folder),
        "AEGIS_ENV_FILE": str(folder / "none.env"),
        "AEGIS_VAR_DIR": str(folder / "var"),
        "AEGIS_STATIC_DIR": str(folder / "static"),
        "AEGIS_DEMO": "false",
        "ALLOWED_HOSTS": "aegis.example.com,127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder}/books.sqlite3",
        "LOG_FORMAT": "json",
        **more,
    }


# --- gunicorn --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Return a folder in which the static files have been collected, all but those of /api/docs/, which are many."""
    folder = tmp_path_factory.mktemp("deployed")
    done = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "collectstatic",
            "--noinput",
            "--ignore",
            "drf_spectacular_sidecar",
            "--ignore",
            "admin",
        ],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def served(collected):
    """Return address and log of a site that gunicorn serves, whose tables are not there yet."""
    log = collected / "web.log"
    with (
        own_address() as address,
        log.open("w") as file,
        running(
            ["-m", "gunicorn", "-c", "deploy/gunicorn_conf.py", "aegis.wsgi"],
            environment=environment(collected, AEGIS_BIND=address, AEGIS_WEB_WORKERS="1"),
            stdout=file,
            stderr=file,
        ) as server,
    ):
        try:
            first_answer(f"http://{address}/healthz/live", of=server)
        except requests.RequestException:
            pytest.fail(log.read_text())
        yield f"http://{address}", log


def as_proxy(url, **headers):
    """Ask as the proxy of the sample does."""
    told = {
        "Host": "aegis.example.com",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.7",
        **headers,
    }
    return requests.get(url, headers=told, timeout=30, allow_redirects=False)


def test_page_is_served_with_files_that_browsers_may_keep(served):
    url, _ = served
    page = as_proxy(f"{url}/login/")
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    [style] = re.findall(r"/static/reports/page\.[0-9a-f]{12}\.css", page.text)
    file = as_proxy(f"{url}{style}", **{"Accept-Encoding": "gzip"})
    assert (file.status_code, file.headers["Content-Encoding"]) == (200, "gzip")
    assert "immutable" in file.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in file.headers
    assert as_proxy(f"{url}/static/reports/page.css").status_code == 404  # only under the name that changes


def test_every_file_that_a_page_names_has_been_collected(collected):
    known = json.loads((collected / "static" / "staticfiles.json").read_text())["paths"]
    named = {
        name
        for template in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"""{%-? static ["']([^"']+)["']""", template.read_text(encoding="utf-8"))
    }
    ours = {name for name in named if not name.startswith(("admin/", "drf_spectacular_sidecar/"))}
    assert ours
    assert ours <= set(known)


def test_visitors_in_the_open_are_sent_to_tls_and_watchers_are_not(served):
    url, _ = served
    assert requests.get(f"{url}/login/", timeout=30, allow_redirects=False).status_code == 301
    for path in ("/healthz", "/healthz/live"):
        assert requests.get(f"{url}{path}", timeout=30, allow_redirects=False).status_code == 200
    ready = requests.get(f"{url}/healthz/ready", timeout=30)
    assert (ready.status_code, ready.json()) == (503, {"status": "not migrated"})
    assert requests.get(f"{url}/metrics", timeout=30, allow_redirects=False).status_code == 401
    assert as_proxy(f"{url}/login/", Host="other.example.com").status_code == 400


def test_line_of_a_request_has_its_name_and_no_query(served):
    url, log = served
    name = "fedcba9876543210"
    as_proxy(f"{url}/login/?next=/&account=12345678-01&token=secret", **{"X-Request-ID": name})
    [line] = lines_of(log, name)
    assert {key: line[key] for key in ("logger", "method", "path", "status", "client")} == {
        "logger": "gunicorn.access",
        "method": "GET",
        "path": "/login/",
        "status": 200,
        "client": "203.0.113.7",
    }
    assert "secret" not in log.read_text()


def lines_of(log, name):
    """Return what the log says of a request; the server writes it after it has answered."""
    ends_at = time.monotonic() + 60
    found: list[dict[str, object]] = []
    while not found and time.monotonic() < ends_at:
        time.sleep(0.01)
        lines = [
            json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")
        ]
        found = [line for line in lines if line.get("request_id") == name]
    return found


def test_site_without_its_files_does_not_begin(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_conf.py", "aegis.wsgi"],
        cwd=ROOT,
        env=environment(tmp_path, AEGIS_BIND="127.0.0.1:0"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "manage.py collectstatic" in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_only_warn_of_files_that_are_missing_or_of_before(settings, collected, tmp_path):
    settings.STATIC_ROOT = None
    assert checks.static_files_are_collected() == []
    settings.STATIC_ROOT = tmp_path
    [warning] = checks.static_files_are_collected()
    assert not warning.is_serious()
    manifest = tmp_path / "staticfiles.json"
    shutil.copy2(collected / "static" / manifest.name, manifest)
    assert checks.static_files_are_collected() == []
    os.utime(manifest, (0, 0))  # an upgrade has changed files since
    assert checks.static_files_are_collected() != []
    whole = json.loads((collected / "static" / manifest.name).read_text())
    del whole["paths"]["reports/page.css"]  # or brought new ones
    manifest.write_text(json.dumps(whole))
    assert checks.static_files_are_collected() != []


# --- systemd ---------------------------------------------------------------------------------------------------------


def directives(path):
    """Return every directive of a unit with its values in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_services_are_shut_in_and_come_back(unit):
    said = directives(unit)
    assert said["User"] == ["aegis"]
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "RestrictNamespaces", "LockPersonality"):
        assert said[name] == ["yes"], name
    assert said["ProtectSystem"] == ["strict"]
    assert said["CapabilityBoundingSet"] == [""]
    assert said["Restart"] == ["always"]
    assert said["StateDirectory"] == ["aegis"]
    assert said["MemoryMax"]
    assert "SECRET" not in unit.read_text(encoding="utf-8")


def test_services_are_there_for_site_and_both_queues(settings):
    assert [unit.name for unit in UNITS] == [
        "aegis-fills@.service",
        "aegis-web.service",
        "aegis-worker@.service",
    ]
    worker = directives(DEPLOY / "systemd" / "aegis-worker@.service")
    assert "AEGIS_CLUSTER=%i" in worker["Environment"][0].split()
    comment = (DEPLOY / "systemd" / "aegis-worker@.service").read_text(encoding="utf-8")
    for queue in settings.QUEUES:
        assert f"aegis-worker@{queue}" in comment
    for unit in UNITS:
        command = directives(unit)["ExecStart"][0].split()
        assert (ROOT / command[1]).is_file() or command[1] == "-c"


def test_services_are_read_by_systemd(tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name.replace("@.", "@x.")
        text = re.sub(r"/srv/aegis/\.venv/bin/\w+", "/bin/true", unit.read_text(encoding="utf-8"))
        copy.write_text(text.replace("/srv/aegis", str(tmp_path)), encoding="utf-8")
        copies.append(str(copy))
    done = subprocess.run([tool, "verify", *copies], capture_output=True, text=True, timeout=60, check=False)
    if "Failed to" in done.stderr and "bus" in done.stderr:
        pytest.skip("systemd-analyze cannot look at units here")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_every_command_and_file_that_is_named_is_there(path):
    text = path.read_text(encoding="utf-8")
    commands = set(re.findall(r"manage\.py[\"', ]+([a-z_0-9]{3,})", text))
    assert commands - set(get_commands()) == set()
    folders = "deploy|tests|docs|requirements[\\w-]*"
    named = set(re.findall(rf"(?<![\w/.-])(?:/srv/aegis/)?((?:{folders})(?:/[\w@.-]+)*\.[a-z]+)\b", text))
    assert {name for name in named if not (ROOT / name).exists()} == set()


# --- nginx -----------------------------------------------------------------------------------------------------------


def test_proxy_writes_the_headers_the_site_believes():
    text = (DEPLOY / "nginx" / "aegis.conf").read_text(encoding="utf-8")
    for header in (
        "X-Forwarded-For $remote_addr",
        "X-Forwarded-Proto $scheme",
        "Host $http_host",
        "X-Request-ID $request_id",
    ):
        assert f"proxy_set_header {header};" in text
    assert "limit_req zone=aegis_login" in text
    [log_format] = re.findall(r"log_format aegis '(.*)';", text)
    assert not {"$request ", "$request_uri", "$args", "$query_string", "$http_referer"} & set(
        re.findall(r"\$\w+ ?", log_format)
    )
    assert re.search(r"location = /metrics \{[^}]*deny all;", text)


def test_proxy_is_read_by_nginx(tmp_path):
    tool = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if tool is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not installed")
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=aegis.example.com", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    text = (DEPLOY / "nginx" / "aegis.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/letsencrypt/live/aegis.example.com", str(tmp_path))
    text = text.replace("/var/log/nginx", str(tmp_path))
    # Only the sample itself is tried: nothing listens, and no address of this machine is needed.
    text = re.sub(r"listen (?:\[::\]:)?(80|443)", r"listen 127.0.0.1:1\1", text)
    text = re.sub(r"(listen 127\.0\.0\.1:1(?:80|443)[^;]*;)\n\s+listen [^;]*;", r"\1", text)
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{\n{text}\n}}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [tool, "-t", "-c", str(whole)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr.replace('the "user" directive', "")


# --- Docker ----------------------------------------------------------------------------------------------------------


def instructions(text):
    """Return the instructions of a Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def test_image_is_pinned_small_and_nobodys_root():
    steps = instructions((DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    stages = [value for name, value in steps if name == "FROM"]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+ AS base", stages[0])
    assert stages[1:] == ["base AS build", "base AS site"]
    last = steps[max(index for index, (name, _) in enumerate(steps) if name == "FROM") :]
    names = [name for name, _ in last]
    assert names.index("USER") < names.index("CMD")
    assert dict(last)["USER"].split(":")[0] not in {"root", "0"}
    assert "healthz/ready" in dict(last)["HEALTHCHECK"]
    assert "COPY . ." not in [" ".join(step) for step in last]  # what built it stays behind
    build = [" ".join(step) for step in steps]
    assert build.index("COPY requirements.lock ./") < build.index("COPY . .")
    [install] = [step for step in build if "pip install" in step]
    assert "--require-hashes" in install
    assert "--no-deps" in install
    [packages] = [step for step in build if "apt-get install" in step]
    for package in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"):
        assert package in packages
        assert package in (DEPLOY / "setup.sh").read_text(encoding="utf-8")
    assert not re.search(r"(KEY|SECRET|PASSWORD|TOKEN)=", "\n".join(build))
    for name, value in steps:
        if name == "COPY" and not value.startswith("--from"):
            assert (ROOT / value.split()[0]).exists()


def test_nothing_of_the_owner_gets_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", "var", ".cache", "reports/Realtime", ".git", ".venv"} <= set(ignored)


def test_containers_are_put_together():
    text = (DEPLOY / "compose.yml").read_text(encoding="utf-8")
    compose = yaml.safe_load(text)
    services = compose["services"]
    assert set(services) == {"db", "migrate", "web", "worker-fast", "worker-reports"}
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert [name for name, service in services.items() if "ports" in service] == ["web"]
    for name in ("web", "worker-fast", "worker-reports"):
        service = services[name]
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["environment"]["DATABASE_URL"].startswith("postgres://aegis:${POSTGRES_PASSWORD")
    assert [services[f"worker-{queue}"]["environment"]["AEGIS_CLUSTER"] for queue in ("fast", "reports")] == [
        "fast",
        "reports",
    ]
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", services["db"]["image"])
    named = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert named == set(compose["volumes"])
    assert not re.search(r"(?i)(secret|password|key):\s*[A-Za-z0-9]{8,}", text)
